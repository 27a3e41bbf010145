import { createHash } from "node:crypto";
import { LanguageModelError } from "./language-model-error.ts";
import { replaceFile } from "./replace-file.ts";
import type { TensorPlace } from "./safetensors-format.ts";
import type { SafetensorsReader } from "./safetensors-reader.ts";
import { inFileOrder, safetensorsPieces, type TensorSource, tensorPieces } from "./safetensors-writer.ts";

/** The name, among a file's words, of the SHA-256 of all others, of its tensors' names, types and shapes, and of their bytes. */
const DIGEST = "sha256";

/** Write tensors with words about them in place of what is there, sealed by their SHA-256. @throws {LanguageModelError} `no-room` */
export async function writeSealed(
  path: string,
  sources: readonly TensorSource[],
  words: ReadonlyMap<string, string>,
): Promise<void> {
  const tensors = inFileOrder(sources);
  const sealed = new Map([...words, [DIGEST, await digestOf(words, tensors, tensorPieces(tensors))]]);
  await replaceFile(path, safetensorsPieces(tensors, sealed));
}

/** All of a file is read, so that one that is damaged anywhere is not taken. @throws {LanguageModelError} `damaged-checkpoint`, `truncated` */
export async function checkSeal(reader: SafetensorsReader, path: string): Promise<void> {
  const { metadata, tensors } = reader;
  if ((await digestOf(metadata, tensors, reader.data())) === metadata.get(DIGEST)) return;
  const problem = `${path} is damaged: its SHA-256 is not the one that it was written with`;
  throw new LanguageModelError("damaged-checkpoint", problem, "take another copy of it, or another checkpoint");
}

async function digestOf(
  metadata: ReadonlyMap<string, string>,
  tensors: Iterable<Pick<TensorPlace, "name" | "type" | "shape">>,
  data: AsyncIterable<Uint8Array>,
): Promise<string> {
  const words = [...metadata].filter(([name]) => name !== DIGEST).sort(([a], [b]) => (a < b ? -1 : 1));
  const places = Array.from(tensors, ({ name, type, shape }) => [name, type, shape]);
  const hash = createHash("sha256").update(JSON.stringify([words, places]));
  for await (const piece of data) hash.update(piece);
  return hash.digest("hex");
}
