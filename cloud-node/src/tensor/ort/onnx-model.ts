import { ProtobufWriter } from "./protobuf-writer.ts";

/** Types of numbers, as `TensorProto.DataType` counts them. */
export const DATA_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type DataType = keyof typeof DATA_TYPES;

/** A value of a graph. A length of -1 is known when it runs. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: DataType;
}

/** A tensor that is part of the model. */
export interface Initializer {
  readonly value: Value;
  readonly bytes: Uint8Array;
}

/** What an operator is told beside its inputs; a whole number is written as such, and a fraction as `{ float }`. */
export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface OnnxNode {
  readonly operator: string;
  /** Empty for ONNX's own. */
  readonly domain: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

export interface OnnxModel {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: readonly Initializer[];
  /** Every value is made before it is used. */
  readonly nodes: readonly OnnxNode[];
}

/** Operators of ONNX Runtime's own, beside ONNX's. */
export const RUNTIME_DOMAIN = "com.microsoft";

/** Of the file format, and of the two sets of operators. */
const IR_VERSION = 9;
const OPERATOR_SETS = [
  { domain: "", version: 20 },
  { domain: RUNTIME_DOMAIN, version: 1 },
] as const;

/** Numbers of `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = { float: 1, integer: 2, string: 3, integers: 7 } as const;

/** A `ModelProto`. @see onnx/onnx.proto of the ONNX project, whose field numbers these are */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new ProtobufWriter();
  for (const node of model.nodes) graph.message(1, nodeProto(node));
  graph.string(2, "program");
  for (const initializer of model.initializers) graph.message(5, tensorProto(initializer));
  for (const input of model.inputs) graph.message(11, valueInfo(input));
  for (const output of model.outputs) graph.message(12, valueInfo(output));
  const file = new ProtobufWriter().integer(1, IR_VERSION).message(7, graph);
  for (const { domain, version } of OPERATOR_SETS) {
    file.message(8, new ProtobufWriter().string(1, domain).integer(2, version));
  }
  return file.finish();
}

function nodeProto({ operator, domain, inputs, outputs, attributes }: OnnxNode): ProtobufWriter {
  const proto = new ProtobufWriter();
  for (const { name } of inputs) proto.string(1, name);
  for (const { name } of outputs) proto.string(2, name);
  proto.string(4, operator).string(7, domain);
  for (const [name, attribute] of Object.entries(attributes)) proto.message(5, attributeProto(name, attribute));
  return proto;
}

function attributeProto(name: string, attribute: Attribute): ProtobufWriter {
  const proto = new ProtobufWriter().string(1, name);
  if (typeof attribute === "number") return proto.integer(3, attribute).integer(20, ATTRIBUTE_TYPES.integer);
  if (typeof attribute === "string") return proto.string(4, attribute).integer(20, ATTRIBUTE_TYPES.string);
  if ("float" in attribute) return proto.float(2, attribute.float).integer(20, ATTRIBUTE_TYPES.float);
  return proto.integers(8, attribute).integer(20, ATTRIBUTE_TYPES.integers);
}

function tensorProto({ value: { name, shape, type }, bytes }: Initializer): ProtobufWriter {
  return new ProtobufWriter().integers(1, shape).integer(2, DATA_TYPES[type]).string(8, name).bytes(9, bytes);
}

function valueInfo({ name, shape, type }: Value): ProtobufWriter {
  const axes = new ProtobufWriter();
  for (const length of shape) axes.message(1, new ProtobufWriter().integer(1, length));
  const tensor = new ProtobufWriter().integer(1, DATA_TYPES[type]).message(2, axes);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensor));
}
