import { type FileHandle, open } from "node:fs/promises";
import type { WeightSource } from "../language-model/decoder.ts";
import { SafetensorsReader, toFloat32 } from "../language-model/safetensors-reader.ts";

/** Behind the name of a tensor of integers: what its rows are multiplied by. */
export const SCALE_SUFFIX = ".scale";
/** Behind the name of a matrix that is kept with its columns as rows, because its own rows are too short for a scale each. */
export const TRANSPOSED_SUFFIX = ".transposed";

/** The tensors of one safetensors file as float32, whether they are kept so or as integers with a scale for each row. */
export class ScaledWeights implements WeightSource {
  readonly #file: FileHandle;
  readonly #reader: SafetensorsReader;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  private constructor(file: FileHandle, reader: SafetensorsReader) {
    this.#file = file;
    this.#reader = reader;
    this.#shapes = new Map(Array.from(reader.tensors, ({ name, shape }) => [name, shape]));
  }

  /** @throws {LanguageModelError} `truncated`, `bad-safetensors`; and what the system says */
  static async open(path: string): Promise<ScaledWeights> {
    const file = await open(path);
    try {
      return new ScaledWeights(file, await SafetensorsReader.open(file, path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Tensors by the names and shapes that they had before they became integers. */
  get shapes(): ReadonlyMap<string, readonly number[]> {
    const own = new Map<string, readonly number[]>();
    for (const [name, shape] of this.#shapes) {
      if (name.endsWith(SCALE_SUFFIX) && this.#shapes.has(name.slice(0, -SCALE_SUFFIX.length))) continue;
      if (name.endsWith(TRANSPOSED_SUFFIX)) own.set(name.slice(0, -TRANSPOSED_SUFFIX.length), shape.toReversed());
      else own.set(name, shape);
    }
    return own;
  }

  /** @throws {LanguageModelError} `foreign-checkpoint` for what is not there or of another shape; `truncated` */
  async floats(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const turned = `${name}${TRANSPOSED_SUFFIX}`;
    if (!this.#shapes.has(turned)) return await this.#rows(name, shape);
    const [rows = 0, columns = 0] = shape;
    const values = await this.#rows(turned, [columns, rows]);
    const out = new Float32Array(values.length);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        out[row * columns + column] = values[column * rows + row] as number;
      }
    }
    return out;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #rows(name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const values = toFloat32(await this.#reader.floats(name, shape));
    const scale = `${name}${SCALE_SUFFIX}`;
    if (!this.#shapes.has(scale)) return values;
    const [rows = 0, columns = 1] = shape;
    const scales = await this.#reader.floats(scale, [rows]);
    for (let at = 0; at < values.length; at += 1) {
      values[at] = (values[at] as number) * (scales[Math.floor(at / columns)] as number);
    }
    return values;
  }
}
