import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import * as v from "valibot";
import { LanguageModelError } from "./language-model-error.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What known models call the token that begins a document, first the ones that mean nothing else. */
const BOS_NAMES = ["<|bos|>", "<bos>", "<s>", "[BOS]", "<|begin_of_text|>", "<|im_start|>", "<|endoftext|>", "[CLS]"];
/** SentencePiece's mark of a space. */
const SPACE_MARK = "▁";
const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** What is read of a `tokenizer.json` here; the library reads the rest. */
const fileSchema = v.looseObject({
  model: v.looseObject({}),
  added_tokens: v.optional(
    v.array(v.looseObject({ id: count, content: v.string(), special: v.optional(v.boolean()) })),
    [],
  ),
  decoder: v.optional(v.nullable(v.looseObject({ type: v.string() }))),
});

/** A tokenizer of Hugging Face, as `tokenizer.json` describes it. */
export class HfTokenizer implements Tokenizer {
  readonly kind = "hf";
  readonly vocabulary: number;
  readonly bos: number;
  readonly #file: object;
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #special: ReadonlySet<number>;
  readonly #isByteLevel: boolean;

  /** @throws {LanguageModelError} `bad-tokenizer` */
  constructor(file: object) {
    const { output, issues } = v.safeParse(fileSchema, file);
    if (issues !== undefined) throw badTokenizer(issues[0].message);
    const { added_tokens: added, decoder } = output;
    try {
      this.#tokenizer = new HuggingFaceTokenizer(file, {});
      this.vocabulary = 1 + largest([...this.#tokenizer.get_vocab(true).values(), ...added.map(({ id }) => id)]);
    } catch (error) {
      throw badTokenizer(error instanceof Error ? error.message : String(error), error);
    }
    const special = added.filter(({ special: isSpecial }) => isSpecial === true);
    const named = BOS_NAMES.map((name) => special.find(({ content }) => content === name));
    const bos = named.find((token) => token !== undefined)?.id;
    if (bos === undefined) throw badTokenizer(`none of its special tokens is ${BOS_NAMES.join(" ")}`);
    this.bos = bos;
    this.#file = file;
    this.#special = new Set(special.map(({ id }) => id));
    this.#isByteLevel = JSON.stringify(decoder ?? null).includes('"ByteLevel"');
  }

  encode(text: string): Int32Array {
    const ids = Int32Array.from(this.#tokenizer.encode(text, { add_special_tokens: false }).ids);
    if (!ids.every((id) => id >= 0 && id < this.vocabulary)) {
      const remedy = "give a tokenizer that covers the text";
      throw new LanguageModelError("unknown-character", "the tokenizer has no tokens for a part of the text", remedy);
    }
    return ids;
  }

  decode(ids: ArrayLike<number>): string {
    const known = Array.from(ids).filter((id) => !this.#special.has(id));
    return this.#tokenizer.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }

  /** Of the token itself, and not of its text, which for a part of a character would be that of U+FFFD. */
  bytesOf(id: number): number {
    const token = this.#special.has(id) ? undefined : this.#tokenizer.id_to_token(id);
    if (token === undefined) return 0;
    // One printable character stands for each byte.
    if (this.#isByteLevel) return [...token].length;
    return BYTE_TOKEN.test(token) ? 1 : Buffer.byteLength(token.replaceAll(SPACE_MARK, " "));
  }

  toJson(): object {
    return { kind: this.kind, file: this.#file };
  }
}

function largest(ids: readonly number[]): number {
  return ids.reduce((most, id) => Math.max(most, id), -1);
}

function badTokenizer(problem: string, cause?: unknown): LanguageModelError {
  const remedy = "give a tokenizer.json as Hugging Face writes it, with a token that begins a document";
  return new LanguageModelError("bad-tokenizer", `no tokenizer of Hugging Face: ${problem}`, remedy, { cause });
}
