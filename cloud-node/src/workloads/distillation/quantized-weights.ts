import type { WeightSource } from "../language-model/decoder.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { toFloat32 } from "../language-model/safetensors-reader.ts";
import { dequantizeRows, quantizeRows } from "./int8-rows.ts";
import { dequantizeNf4, quantizeNf4 } from "./nf4-blocks.ts";

/** How a teacher's matrices are held. */
export const PRECISIONS = ["float32", "int8", "nf4"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** A model's weights, held in fewer bits. */
export interface HeldWeights extends WeightSource {
  /** Of the tensors as they are held, scales among them. */
  readonly bytes: number;
}

interface Held {
  readonly bytes: number;
  read(): Float32Array<ArrayBuffer>;
}

/**
 * Take a model's weights into memory: matrices with one byte a number and a scale a row, or with four bits a number and a scale
 * for 64; gains of norms as they are. They are float32 again only where a program takes them.
 *
 * @throws as `weights`
 */
export async function holdWeights(
  config: ModelConfig,
  weights: WeightSource,
  precision: Precision,
): Promise<HeldWeights> {
  const held = new Map<string, Held>();
  for (const { name, shape } of parameterSpecs(config)) {
    held.set(name, holdTensor(toFloat32(await weights.floats(name, shape)), shape, precision));
  }
  return {
    floats: (name) => Promise.resolve((held.get(name) as Held).read()),
    bytes: [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function holdTensor(values: Float32Array<ArrayBuffer>, shape: readonly number[], precision: Precision): Held {
  const [rows = 1, columns] = shape;
  if (precision === "float32" || columns === undefined) {
    return { bytes: values.byteLength, read: () => Float32Array.from(values) };
  }
  if (precision === "int8") {
    const quantized = quantizeRows(values, rows, columns);
    const bytes = quantized.codes.byteLength + quantized.scales.byteLength;
    return { bytes, read: () => dequantizeRows(quantized) };
  }
  const blocks = quantizeNf4(values);
  return { bytes: blocks.codes.byteLength + blocks.scales.byteLength, read: () => dequantizeNf4(blocks) };
}
