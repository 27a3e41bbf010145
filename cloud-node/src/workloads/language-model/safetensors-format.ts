import * as v from "valibot";
import { LanguageModelError } from "./language-model-error.ts";

/** Types of numbers, as a header names them, and how many bytes one takes. */
export const ELEMENT_BYTES = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1 },
  ...{ I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
} as const;
export type ElementType = keyof typeof ELEMENT_BYTES;

/** Bytes in front of the header: its length, u64, little-endian. */
export const LENGTH_BYTES = 8;
/** The format's own limit, which keeps a hostile length from taking all memory. */
export const MOST_HEADER_BYTES = 100_000_000;
const METADATA_KEY = "__metadata__";

/** Where a tensor is, and what it is. */
export interface TensorPlace {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** From the file's first byte. */
  readonly offset: number;
  readonly bytes: number;
}

/** A header, read and verified. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorPlace[];
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const entrySchema = v.strictObject({
  dtype: v.picklist(Object.keys(ELEMENT_BYTES) as ElementType[]),
  shape: v.array(count),
  data_offsets: v.strictTuple([count, count]),
});

/**
 * A header from its text: every tensor is where it says, of the size that its shape and type make, and all of them
 * cover the file without gap or overlap.
 *
 * @param fileBytes  of the whole file
 * @throws {LanguageModelError} `bad-safetensors`, `truncated`
 * @see Hugging Face, safetensors, "Format"
 */
export function parseHeader(json: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const entries = Object.entries(jsonObject(json, file));
  const metadata = entries.find(([name]) => name === METADATA_KEY)?.[1] ?? {};
  const start = LENGTH_BYTES + json.length;
  const tensors = entries
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, entry]) => placeOf(name, entry, start, file))
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = start;
  for (const { name, offset, bytes } of tensors) {
    if (offset !== end)
      throw bad(
        file,
        `bytes ${Math.min(end, offset)} to ${Math.max(end, offset)} in front of ${name} belong to no tensor, or to two`,
      );
    end += bytes;
  }
  if (end > fileBytes) throw cutOff(file, end, fileBytes);
  if (end < fileBytes) throw bad(file, `${fileBytes - end} bytes at its end belong to no tensor`);
  return { metadata: wordsOf(metadata, file), tensors };
}

function wordsOf(metadata: unknown, file: string): Map<string, string> {
  const entries: [string, unknown][] =
    typeof metadata === "object" && metadata !== null ? Object.entries(metadata) : [["", undefined]];
  const isWords = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === "string";
  if (!entries.every(isWords)) throw bad(file, `${METADATA_KEY} is not words to words`);
  return new Map(entries);
}

function jsonObject(json: Uint8Array, file: string): object {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (cause) {
    throw bad(file, "its header is no JSON", cause);
  }
  throw bad(file, "its header is no JSON object");
}

function placeOf(name: string, entry: unknown, start: number, file: string): TensorPlace {
  const { output, issues } = v.safeParse(entrySchema, entry);
  if (issues !== undefined)
    throw bad(file, `${quoted(name)}, ${v.getDotPath(issues[0]) ?? "its entry"}: ${issues[0].message}`);
  const {
    dtype: type,
    shape,
    data_offsets: [begin, end],
  } = output;
  const bytes = shape.reduce((product, n) => product * n, ELEMENT_BYTES[type]);
  if (bytes !== end - begin || !Number.isSafeInteger(start + end)) {
    throw bad(
      file,
      `${quoted(name)} is ${type} of shape (${shape.join(", ")}), ${bytes} bytes, and has ${end - begin}`,
    );
  }
  return { name, type, shape, offset: start + begin, bytes };
}

/** A name of a stranger, no longer than a line takes. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

/** What a file is that is no safetensors file. */
export function bad(file: string, problem: string, cause?: unknown): LanguageModelError {
  const remedy = "take another copy of it";
  return new LanguageModelError("bad-safetensors", `${file}: ${problem}`, remedy, { cause });
}

/** @param need, have  bytes */
export function cutOff(file: string, need: number, have: number): LanguageModelError {
  return new LanguageModelError("truncated", `${file} has ${have} bytes of ${need}`, "take another copy of it");
}

/** The header of tensors that follow each other, padded so that their first byte is at a multiple of 8. */
export function formatHeader(
  tensors: readonly { readonly name: string; readonly type: ElementType; readonly shape: readonly number[] }[],
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, type, shape }) => {
    const begin = end;
    end += shape.reduce((product, n) => product * n, ELEMENT_BYTES[type]);
    return [name, { dtype: type, shape, data_offsets: [begin, end] }] as const;
  });
  const own = metadata.size === 0 ? [] : [[METADATA_KEY, Object.fromEntries(metadata)] as const];
  const json = Buffer.from(JSON.stringify(Object.fromEntries([...own, ...entries])));
  const padded = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(LENGTH_BYTES + padded, " ");
  header.writeBigUInt64LE(BigInt(padded));
  header.set(json, LENGTH_BYTES);
  return header;
}
