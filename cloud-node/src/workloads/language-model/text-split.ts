import { LanguageModelError } from "./language-model-error.ts";

/** Where one document of a text ends and the next begins. */
export const DOCUMENT_KINDS = ["paragraphs", "lines"] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

/**
 * Tokens of a text in two, as nanoGPT cuts them: the first ⌊share n⌋ to train on, the rest to be judged by.
 *
 * @param context  each part has to be longer than that
 * @throws {LanguageModelError} `text-too-short`
 */
export function splitTokens(tokens: Int32Array, share: number, context: number): [train: Int32Array, val: Int32Array] {
  const cut = Math.floor(tokens.length * share);
  const parts: [Int32Array, Int32Array] = [tokens.subarray(0, cut), tokens.subarray(cut)];
  const shortest = Math.min(...parts.map((part) => part.length));
  if (shortest > context) return parts;
  throw new LanguageModelError(
    "text-too-short",
    `of ${tokens.length} tokens the shorter part has ${shortest}, and a row needs ${context + 1}`,
    "give more text, or a shorter context with --set model.context=N",
  );
}

/** A text's documents, without those of nothing but white space. */
export function documentsOf(text: string, kind: DocumentKind): string[] {
  const parts = text.split(kind === "lines" ? /\r?\n/ : /\r?\n(?:[ \t]*\r?\n)+/);
  return parts.filter((part) => part.trim() !== "");
}

/**
 * Documents in two: the first ⌊share n⌋ to train on.
 *
 * @throws {LanguageModelError} `text-too-short` when a part would have none
 */
export function splitDocuments<Document>(documents: readonly Document[], share: number): [Document[], Document[]] {
  const cut = Math.floor(documents.length * share);
  if (cut >= 1 && cut < documents.length) return [documents.slice(0, cut), documents.slice(cut)];
  const problem = `${documents.length} documents cannot be split in two`;
  const remedy = "give a text with more of them, or cut it with --set data.documents=lines";
  throw new LanguageModelError("text-too-short", problem, remedy);
}
