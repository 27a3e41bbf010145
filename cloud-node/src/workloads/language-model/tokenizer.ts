/** Text to numbers and back. */
export interface Tokenizer {
  readonly kind: "char" | "byte" | "hf";
  /** How many tokens there are: ids are 0 … vocabulary − 1. */
  readonly vocabulary: number;
  /** The token that begins a document; no text encodes to it. */
  readonly bos: number;
  /** @throws {LanguageModelError} `unknown-character` */
  encode(text: string): Int32Array;
  /** Special tokens give nothing. */
  decode(ids: ArrayLike<number>): string;
  /**
   * Bytes of UTF-8 that a token stands for; 0 for special ones, which no measure counts.
   *
   * @param before  the token in front of it, where that is known: behind a document's beginning some have fewer
   */
  bytesOf(id: number, before?: number): number;
  /** As it is kept in a checkpoint: `restoreTokenizer` makes the same of it. */
  toJson(): object;
}
