/** How an answer is written. */
export interface AnswerOptions {
  /** Tokens at most. */
  readonly maxTokens: number;
  /** 0 (where nobody says): the likeliest token, always. */
  readonly temperature?: number | undefined;
  /** Chance, in [0, 1), where `temperature` is above 0. */
  readonly uniform?: (() => number) | undefined;
  /**
   * Called in front of each choice of a token.
   *
   * @param logits  shape (vocabulary); may be changed in place
   * @param produced  tokens of the answer so far
   */
  readonly adjust?: ((logits: Float32Array, produced: readonly number[]) => void) | undefined;
}

/** What was answered, and how long that took. */
export interface Answer {
  /** Without the token that ends it. */
  readonly text: string;
  /** Tokens that were written, the one that ends it among them. */
  readonly tokens: number;
  /** From the prompt's first token to the answer's last. */
  readonly seconds: number;
}

/** A model, with or without an adapter, that answers prompts of one user, each on its own. */
export interface Answerer {
  /** @throws {LoraError} `prompt-too-long` */
  answer(prompt: string, options: AnswerOptions): Promise<Answer>;
  close(): void;
}
