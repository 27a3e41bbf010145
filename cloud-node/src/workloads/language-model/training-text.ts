import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { LanguageModelError } from "./language-model-error.ts";

/** A text of more than this would take most of a small machine's memory before training begins. */
export const MOST_TEXT_BYTES = 1 << 29;

/** A text to learn from. */
export interface TrainingText {
  /** Of its file. */
  readonly name: string;
  readonly text: string;
  /** Of its bytes, as `sha256sum` says it: hexadecimal. */
  readonly sha256: string;
}

/**
 * A text from its file.
 *
 * @param name  for errors and reports
 * @throws {LanguageModelError} `text-too-long`, `empty-text`, `not-utf8`; and what the system says
 */
export async function readTrainingText(path: string, name: string): Promise<TrainingText> {
  const { size } = await stat(path);
  if (size > MOST_TEXT_BYTES) {
    const problem = `${name} has ${size} bytes, and a text may have ${MOST_TEXT_BYTES}`;
    throw new LanguageModelError("text-too-long", problem, "give a part of it: small models learn no more from more");
  }
  return trainingText(await readFile(path), name);
}

/**
 * A text from its bytes; a byte order mark in front is no part of it.
 *
 * @throws {LanguageModelError} `empty-text`, `not-utf8`
 */
export function trainingText(bytes: Uint8Array, name: string): TrainingText {
  const text = strictText(bytes, name);
  if (text.trim() !== "") return { name, text, sha256: createHash("sha256").update(bytes).digest("hex") };
  throw new LanguageModelError("empty-text", `${name} has no text`, "give a file with some pages of it");
}

function strictText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const remedy = "save it as UTF-8: models are trained on text";
    throw new LanguageModelError("not-utf8", `${name} is not in UTF-8`, remedy, { cause });
  }
}
