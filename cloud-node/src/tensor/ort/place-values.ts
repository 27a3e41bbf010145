import { InvariantError } from "../../invariant-error.ts";
import { type Address, type Section, sizeOf } from "../tensor.ts";
import type { OnnxGraph } from "./onnx-graph.ts";
import type { Value } from "./onnx-model.ts";

/** Rows of a place, `stride` numbers from one to the next, and what stands in them. */
interface Held {
  readonly offset: number;
  readonly rows: number;
  readonly width: number;
  readonly stride: number;
  readonly value: Value;
}

/** Rows that a kernel reads or writes. */
export interface Rows {
  readonly rows: number;
  readonly width: number;
  /** `width` when absent; more for columns of a wider tensor. */
  readonly stride?: number;
}

/**
 * What stands in every place of an arena while a program's calls are read in order: kernels write into places again and
 * again, the values of a graph are made once. Columns of a wider tensor are slices of it, and together make it.
 */
export class PlaceValues {
  readonly #graph: OnnxGraph;
  readonly #held: Record<Section, Held[]> = { value: [], gradient: [], work: [], scratch: [] };

  readonly #kept = new Map<string, Value>();

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  /** @returns (rows, width) */
  read(address: Address, { rows, width, stride = width }: Rows): Value {
    const { section, offset } = address;
    const held = this.#held[section];
    const same = held.find((one) => one.offset === offset && one.stride === stride && one.width === width);
    if (same !== undefined && same.rows === rows) return this.#graph.reshape(same.value, [rows, width]);
    const found =
      stride > width ? undefined : (this.#whole(address, rows * width) ?? this.#joined(held, offset, rows, width));
    const columns = found ?? this.#columns(held, offset, rows, width, stride);
    if (columns === undefined) throw new InvariantError(`a kernel reads ${section} at ${offset}, where nothing stands`);
    return this.#graph.reshape(columns, [rows, width]);
  }

  /** `count` numbers one behind the other, in the shape that they were made in. */
  numbers(address: Address, count: number): Value {
    return this.#whole(address, count) ?? this.read(address, run(count));
  }

  /** All that stands at a place, in the shape that it was made in. */
  at({ section, offset }: Address): Value {
    const held = this.#held[section].find((one) => one.offset === offset && one.stride === one.width);
    if (held === undefined) throw new InvariantError(`nothing whole stands in ${section} at ${offset}`);
    return held.value;
  }

  /** @param value  in any shape of the same count */
  write({ section, offset }: Address, value: Value, { rows, width, stride = width }: Rows): void {
    const end = endOf({ offset, rows, width, stride });
    const kept = this.#held[section].flatMap((one) => {
      if (one.offset >= end || endOf(one) <= offset) return [one];
      if (stride === width) return [];
      if (one.stride === one.width) return this.#around(one, offset, { rows, width, stride });
      const isBeside = one.offset >= offset + width || one.offset + one.width <= offset;
      return isBeside && one.stride === stride ? [one] : [];
    });
    this.#held[section] = [...kept, { offset, rows, width, stride, value }];
  }

  /** What a kernel with an `add` flag does: replace what stands there, or add to it. */
  contribute(address: Address, value: Value, add: number, rows: Rows = rowsOfValue(value)): void {
    const kept = add === 0 ? undefined : this.#graph.reshape(this.read(address, rows), value.shape);
    this.write(address, kept === undefined ? value : this.#graph.node("Add", [kept, value]), rows);
  }

  /** Put by what the backward half of an operation needs, under a place of its own; it may be larger than the place. */
  keep({ section, offset }: Address, value: Value): void {
    this.#kept.set(`${section} ${offset}`, value);
  }

  /** What `keep` was given. */
  kept({ section, offset }: Address): Value {
    const value = this.#kept.get(`${section} ${offset}`);
    if (value === undefined) throw new InvariantError(`nothing was kept for ${section} at ${offset}`);
    return value;
  }

  #whole({ section, offset }: Address, count: number): Value | undefined {
    return this.#held[section].find(
      (one) => one.offset === offset && one.stride === one.width && one.rows * one.width === count,
    )?.value;
  }

  /** The whole of which only parts were written, side by side. */
  #joined(held: readonly Held[], offset: number, rows: number, width: number): Value | undefined {
    const parts = held
      .filter((one) => one.stride === width && one.width < width && one.rows === rows)
      .filter((one) => one.offset >= offset && one.offset < offset + width)
      .sort((a, b) => a.offset - b.offset);
    if (parts.reduce((sum, part) => sum + part.width, 0) !== width) return undefined;
    const values = parts.map((part) => this.#graph.reshape(part.value, [rows, part.width]));
    return this.#graph.node("Concat", values, { shape: [rows, width], attributes: { axis: 1 } });
  }

  /** Columns of a whole. */
  #columns(held: readonly Held[], offset: number, rows: number, width: number, stride: number): Value | undefined {
    const whole = held.find(
      (one) => one.stride === one.width && one.offset <= offset && endOf(one) >= offset + (rows - 1) * stride + width,
    );
    if (whole === undefined) return undefined;
    const count = whole.rows * whole.width;
    const isAll = count === rows * stride;
    const matrix = this.#graph.reshape(whole.value, isAll ? [rows, stride] : [1, count]);
    if (!isAll && rows > 1 && stride > width) return undefined;
    return this.#graph.columns(matrix, offset - whole.offset, isAll ? width : rows * width);
  }

  /** What is left of a whole around columns that are written anew; nothing where it had other rows, and is done with. */
  #around(whole: Held, offset: number, { rows, width, stride }: Required<Rows>): Held[] {
    if (whole.rows * whole.width !== rows * stride) return [];
    const matrix = this.#graph.reshape(whole.value, [rows, stride]);
    const from = offset - whole.offset;
    const sides = [
      { column: 0, width: from },
      { column: from + width, width: stride - from - width },
    ];
    return sides
      .filter((side) => side.width > 0)
      .map((side) => ({
        ...{ offset: whole.offset + side.column, rows, width: side.width, stride },
        value: this.#graph.columns(matrix, side.column, side.width),
      }));
  }
}

function endOf({ offset, rows, width, stride }: Omit<Held, "value">): number {
  return offset + (rows - 1) * stride + width;
}

/** One row of `count` numbers. */
export function run(count: number): Rows {
  return { rows: 1, width: count };
}

function rowsOfValue({ shape }: Value): Rows {
  const width = shape.at(-1) ?? 1;
  return { rows: sizeOf(shape) / width, width };
}
