import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { FrameError } from "../errors.ts";
import { u8 } from "../field.ts";

interface OpRow<Op extends string> {
  readonly op: Op;
  /** Of a frame with it, head and seal included. */
  readonly elements: number;
}

const OP = u8("op");

/** The ops of a kind whose frames differ by what they say: each at the place of its code; undefined is spare. */
export class OpTable<Op extends string> {
  readonly #rows: readonly (OpRow<Op> | undefined)[];

  constructor(rows: readonly (OpRow<Op> | undefined)[]) {
    this.#rows = rows;
  }

  /** How many elements a frame with an op has; undefined for no op of this kind. */
  elementsOf(op: Op): number | undefined {
    return this.#rows[this.#codeOf(op)]?.elements;
  }

  write(writer: CborWriter, op: Op): void {
    writer.int(this.#codeOf(op), OP);
  }

  /** Read the op of a frame that has so many elements. @throws {FrameError} `out-of-range`, `wrong-shape` */
  read(reader: CborReader, elements: number): Op {
    const offset = reader.offset;
    const code = reader.uint(OP);
    const row = this.#rows[code];
    if (row === undefined) throw new FrameError("out-of-range", { offset, field: OP.name, have: code });
    if (elements !== row.elements) {
      throw new FrameError("wrong-shape", { offset: 0, field: "frame", need: row.elements, have: elements });
    }
    return row.op;
  }

  #codeOf(op: Op): number {
    return this.#rows.findIndex((row) => row?.op === op);
  }
}
