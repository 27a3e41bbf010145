import { LanguageModelError } from "./language-model-error.ts";
import type { Tokenizer } from "./tokenizer.ts";

const BOS = 0;

/** Each Unicode character of a text is a token: the beginning of a document is 0, and all others follow in order of code point. */
export class CharTokenizer implements Tokenizer {
  readonly kind = "char";
  readonly vocabulary: number;
  readonly bos = BOS;
  readonly #characters: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @param characters  each once, in order of code point */
  constructor(characters: readonly string[]) {
    this.#characters = characters;
    this.#ids = new Map(characters.map((character, at) => [character, at + 1]));
    this.vocabulary = characters.length + 1;
  }

  /** The characters that a text has. */
  static of(text: string): CharTokenizer {
    const characters = [...new Set(text)].sort((a, b) => codePoint(a) - codePoint(b));
    return new CharTokenizer(characters);
  }

  encode(text: string): Int32Array {
    const ids = new Int32Array(text.length);
    let count = 0;
    let place = 0;
    for (const character of text) {
      const id = this.#ids.get(character);
      if (id === undefined) throw this.#unknown(character, text, place);
      ids[count] = id;
      count += 1;
      place += character.length;
    }
    return ids.subarray(0, count);
  }

  #unknown(character: string, text: string, place: number): LanguageModelError {
    const before = text.slice(0, place).split("\n");
    const where = `line ${before.length}, column ${[...(before.at(-1) ?? "")].length + 1}`;
    const code = codePoint(character).toString(16).toUpperCase().padStart(4, "0");
    return new LanguageModelError(
      "unknown-character",
      `${where}: the model was not trained on ${JSON.stringify(character)} (U+${code})`,
      "write with the characters of its text, or train with --set data.tokenizer=byte",
    );
  }

  decode(ids: ArrayLike<number>): string {
    return Array.from(ids, (id) => this.#characters[id - 1] ?? "").join("");
  }

  bytesOf(id: number): number {
    return Buffer.byteLength(this.#characters[id - 1] ?? "");
  }

  toJson(): object {
    return { kind: this.kind, characters: this.#characters.join("") };
  }
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
