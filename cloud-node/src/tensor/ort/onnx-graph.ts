import { sizeOf } from "../tensor.ts";
import {
  type Attributes,
  type DataType,
  encodeModel,
  type Initializer,
  type OnnxNode,
  type Value,
} from "./onnx-model.ts";

/** What a node makes, and what it is told. */
export interface NodeOptions {
  /** Of its first output: that of its largest input when absent. */
  readonly shape?: readonly number[];
  /** Likewise: that of its first input when absent. */
  readonly type?: DataType;
  readonly domain?: string;
  readonly attributes?: Attributes;
}

/** A graph of operators under construction. The same node asked for twice is one node; what no output needs is left out. */
export class OnnxGraph {
  readonly #inputs: Value[] = [];
  readonly #initializers: Initializer[] = [];
  readonly #nodes: OnnxNode[] = [];
  readonly #known = new Map<string, readonly Value[]>();
  #count = 0;

  input(name: string, shape: readonly number[], type: DataType): Value {
    const value = { name, shape, type };
    this.#inputs.push(value);
    return value;
  }

  floats(values: Float32Array, shape: readonly number[]): Value {
    return this.#initializer(values, shape, "float32");
  }

  scalar(number: number): Value {
    const known = this.#known.get(`scalar ${number}`);
    if (known?.[0] !== undefined) return known[0];
    const made = this.floats(Float32Array.of(number), [1]);
    this.#known.set(`scalar ${number}`, [made]);
    return made;
  }

  integers(values: readonly number[], type: "int32" | "int64" = "int64"): Value {
    const key = `${type} ${values.join()}`;
    const known = this.#known.get(key);
    if (known?.[0] !== undefined) return known[0];
    const numbers = type === "int32" ? Int32Array.from(values) : BigInt64Array.from(values, BigInt);
    const made = this.#initializer(numbers, [values.length], type);
    this.#known.set(key, [made]);
    return made;
  }

  /** The first output of one operator. */
  node(operator: string, inputs: readonly Value[], options: NodeOptions = {}): Value {
    const { shape = largestOf(inputs).shape, type = inputs[0]?.type ?? "float32" } = options;
    const [value] = this.nodes(operator, inputs, [{ shape, type }], options);
    return value as Value;
  }

  /** All outputs of one operator. */
  nodes(
    operator: string,
    inputs: readonly Value[],
    outputs: readonly Omit<Value, "name">[],
    { domain = "", attributes = {} }: NodeOptions = {},
  ): readonly Value[] {
    const key = JSON.stringify([operator, domain, inputs.map(({ name }) => name), attributes]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = outputs.map(({ shape, type }) => ({ name: this.#name(), shape, type }));
    this.#nodes.push({ operator, domain, inputs, outputs: made, attributes });
    this.#known.set(key, made);
    return made;
  }

  /** The same numbers under another shape: no work. */
  reshape(value: Value, shape: readonly number[]): Value {
    if (value.shape.length === shape.length && value.shape.every((length, axis) => length === shape[axis]))
      return value;
    return this.node("Reshape", [value, this.integers(shape)], { shape, type: value.type });
  }

  /** @param axes  of `value`, in their new order */
  transpose(value: Value, axes: readonly number[]): Value {
    const shape = axes.map((axis) => value.shape[axis] ?? 1);
    return this.node("Transpose", [value], { shape, attributes: { perm: axes } });
  }

  /** Columns of a matrix, from `from` on. */
  columns(value: Value, from: number, width: number): Value {
    const bounds = [[from], [from + width], [1]].map((bound) => this.integers(bound));
    return this.node("Slice", [value, ...bounds], { shape: [value.shape[0] ?? 1, width] });
  }

  /** The same numbers as a value of their own, whatever else it is for. */
  copy({ name, shape, type }: Value): Value {
    const made = { name: this.#name(), shape, type };
    this.#nodes.push({
      operator: "Identity",
      domain: "",
      inputs: [{ name, shape, type }],
      outputs: [made],
      attributes: {},
    });
    return made;
  }

  /** Whether a node makes it, and not the caller or the model. */
  isMade({ name }: Value): boolean {
    return this.#nodes.some(({ outputs }) => outputs.some((output) => output.name === name));
  }

  /** The model that makes `outputs`, and the inputs that it needs. */
  finish(outputs: readonly Value[]): { readonly model: Uint8Array; readonly inputs: readonly Value[] } {
    const needed = new Set(outputs.map(({ name }) => name));
    const nodes = this.#nodes
      .toReversed()
      .filter((node) => {
        const isNeeded = node.outputs.some(({ name }) => needed.has(name));
        if (isNeeded) for (const { name } of node.inputs) needed.add(name);
        return isNeeded;
      })
      .reverse();
    const inputs = this.#inputs.filter(({ name }) => needed.has(name));
    const initializers = this.#initializers.filter(({ value }) => needed.has(value.name));
    return { model: encodeModel({ inputs, outputs, initializers, nodes }), inputs };
  }

  #initializer(numbers: Float32Array | Int32Array | BigInt64Array, shape: readonly number[], type: DataType): Value {
    const value = { name: this.#name(), shape, type };
    this.#initializers.push({ value, bytes: new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength) });
    return value;
  }

  #name(): string {
    this.#count += 1;
    return `v${this.#count}`;
  }
}

/** Of one size, the one of more axes. */
function largestOf(values: readonly Value[]): Value {
  const [first, ...others] = values;
  if (first === undefined) throw new RangeError("a node of no inputs needs its shape said");
  const rank = ({ shape }: Value) => [sizeOf(shape), shape.length] as const;
  return others.reduce((largest, value) => {
    const [[size, axes], [otherSize, otherAxes]] = [rank(value), rank(largest)];
    return size > otherSize || (size === otherSize && axes > otherAxes) ? value : largest;
  }, first);
}
