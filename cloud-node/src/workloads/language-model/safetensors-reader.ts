import type { FileHandle } from "node:fs/promises";
import { LanguageModelError } from "./language-model-error.ts";
import {
  bad,
  cutOff,
  LENGTH_BYTES,
  MOST_HEADER_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorPlace,
} from "./safetensors-format.ts";

/** Numbers of a tensor, as wide as they are. */
export type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The same numbers in 32 bits; as they are where they are that wide. */
export function toFloat32(numbers: Floats): Float32Array<ArrayBuffer> {
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}

/** How much is read at once, bytes. */
const PIECE_BYTES = 1 << 20;

/** A safetensors file: its header in memory, its tensors read one by one. */
export class SafetensorsReader {
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #tensors: ReadonlyMap<string, TensorPlace>;
  /** What its writer said, words to words. */
  readonly metadata: ReadonlyMap<string, string>;

  private constructor(file: FileHandle, name: string, { metadata, tensors }: SafetensorsHeader) {
    this.#file = file;
    this.#name = name;
    this.metadata = metadata;
    this.#tensors = new Map(tensors.map((place) => [place.name, place]));
  }

  /**
   * @param file  stays the caller's
   * @param name  of the file, for errors
   * @throws {LanguageModelError} `truncated`, `bad-safetensors`
   */
  static async open(file: FileHandle, name: string): Promise<SafetensorsReader> {
    const { size } = await file.stat();
    if (size < LENGTH_BYTES) throw cutOff(name, LENGTH_BYTES, size);
    const length = Buffer.from(await readAt(file, 0, LENGTH_BYTES, name)).readBigUInt64LE();
    if (length > MOST_HEADER_BYTES)
      throw bad(name, `its header would have ${length} bytes, and may have ${MOST_HEADER_BYTES}`);
    const headerBytes = Number(length);
    if (LENGTH_BYTES + headerBytes > size) throw cutOff(name, LENGTH_BYTES + headerBytes, size);
    const json = await readAt(file, LENGTH_BYTES, headerBytes, name);
    return new SafetensorsReader(file, name, parseHeader(json, size, name));
  }

  /** In the order of their bytes. */
  get tensors(): Iterable<TensorPlace> {
    return this.#tensors.values();
  }

  /**
   * The numbers of a tensor: doubles of F64, and float32 of all that fits in it without loss.
   *
   * @throws {LanguageModelError} `foreign-checkpoint` when it is not there, is of a type that float32 does not hold, or is not
   * of this shape; `truncated`
   */
  async floats(name: string, shape: readonly number[]): Promise<Floats> {
    const place = this.#tensors.get(name);
    if (place === undefined) throw this.#foreign(`it has no tensor ${name}`);
    if (place.shape.length !== shape.length || !place.shape.every((n, axis) => n === shape[axis])) {
      throw this.#foreign(`${name} is of shape (${place.shape.join(", ")}), and not (${shape.join(", ")})`);
    }
    const bytes = await readAt(this.#file, place.offset, place.bytes, this.#name);
    const floats = toFloats(place, bytes.buffer);
    if (floats === undefined) throw this.#foreign(`${name} holds ${place.type}, which float32 does not`);
    return floats;
  }

  /** The bytes of all tensors, one behind the other, in pieces. @throws {LanguageModelError} `truncated` */
  async *data(): AsyncGenerator<Uint8Array> {
    for (const { offset, bytes } of this.#tensors.values()) {
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        yield await readAt(this.#file, offset + at, Math.min(PIECE_BYTES, bytes - at), this.#name);
      }
    }
  }

  #foreign(problem: string): LanguageModelError {
    const remedy = "give a checkpoint of this model";
    return new LanguageModelError("foreign-checkpoint", `${this.#name}: ${problem}`, remedy);
  }
}

/** @throws {LanguageModelError} `truncated`: the file became shorter */
async function readAt(file: FileHandle, offset: number, bytes: number, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(new ArrayBuffer(bytes));
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(buffer, at, bytes - at, offset + at);
    if (bytesRead === 0) throw cutOff(name, offset + bytes, offset + at);
    at += bytesRead;
  }
  return buffer;
}

function toFloats({ type }: TensorPlace, buffer: ArrayBuffer): Floats | undefined {
  if (type === "F64") return new Float64Array(buffer);
  if (type === "F32") return new Float32Array(buffer);
  if (type === "BF16") return fromBits(new Uint16Array(buffer));
  if (type === "F16") return Float32Array.from(new Uint16Array(buffer), halfToFloat);
  if (type === "I8") return Float32Array.from(new Int8Array(buffer));
  if (type === "I16") return Float32Array.from(new Int16Array(buffer));
  if (type === "U16") return Float32Array.from(new Uint16Array(buffer));
  return type === "U8" || type === "BOOL" ? Float32Array.from(new Uint8Array(buffer)) : undefined;
}

/** bfloat16 is the upper half of float32. */
function fromBits(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i += 1) bits[i] = (halves[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

/** @see IEEE 754-2019, binary16 */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
