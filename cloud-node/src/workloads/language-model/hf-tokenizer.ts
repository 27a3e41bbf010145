import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import * as v from "valibot";
import { LanguageModelError } from "./language-model-error.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What known models call the token that begins a document, first the ones that mean nothing else. */
const BOS_NAMES = ["<|bos|>", "<bos>", "<s>", "[BOS]", "<|begin_of_text|>", "<|im_start|>", "<|endoftext|>"];
/** Decoders that give back the text that was encoded, so that every token has bytes of its own. */
const WHOLE_DECODERS: ReadonlySet<string> = new Set([
  ...["ByteLevel", "Metaspace", "ByteFallback", "Replace", "Fuse", "Strip", "Sequence"],
]);
/** SentencePiece's mark of a space. */
const SPACE_MARK = "▁";
const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const decoderSchema = v.looseObject({
  type: v.string(),
  decoders: v.optional(v.array(v.looseObject({ type: v.string() })), []),
});
/** What is read of a `tokenizer.json` here; the library reads the rest. */
const fileSchema = v.looseObject({
  model: v.looseObject({ unk_token: v.optional(v.nullable(v.string())), unk_id: v.optional(v.nullable(count)) }),
  added_tokens: v.optional(
    v.array(v.looseObject({ id: count, content: v.string(), special: v.optional(v.boolean()) })),
    [],
  ),
  normalizer: v.optional(v.unknown()),
  decoder: v.optional(v.nullable(decoderSchema)),
});

/** A tokenizer of Hugging Face, as `tokenizer.json` describes it. */
export class HfTokenizer implements Tokenizer {
  readonly kind = "hf";
  readonly vocabulary: number;
  readonly bos: number;
  readonly #file: object;
  readonly #tokenizer: HuggingFaceTokenizer;
  /** Words of special tokens. */
  readonly #special: ReadonlyMap<number, string>;
  readonly #added: ReadonlyMap<string, number>;
  /** Bytes of tokens that are text as it stands, in any tokenizer. */
  readonly #literal: ReadonlyMap<number, number>;
  readonly #isByteLevel: boolean;
  /** Whether a text's tokens have the bytes of the text: what has no token is left out without a word. */
  readonly #isPlain: boolean;
  /** What stands in for text without tokens. */
  readonly #unknown: number | undefined;
  /** Whether a mark of a space is put in front of a text, which its decoder takes away. */
  readonly #hasFirstMark: boolean;
  /** Reads special tokens by their words; made when it is first asked for. */
  #marking: HuggingFaceTokenizer | undefined;

  /** @throws {LanguageModelError} `bad-tokenizer` */
  constructor(file: object) {
    const { output, issues } = v.safeParse(fileSchema, file);
    if (issues !== undefined) throw badTokenizer(issues[0].message);
    const { added_tokens: added, decoder, model, normalizer } = output;
    const decoders = [...(decoder?.decoders ?? []), ...(decoder == null ? [] : [decoder])].map(({ type }) => type);
    const lossy = decoders.find((type) => !WHOLE_DECODERS.has(type));
    if (lossy !== undefined) throw badTokenizer(`its decoder ${lossy} does not give back the text that was encoded`);
    // Without special tokens: a text that has their words means the words.
    const plain = added.filter(({ special: isSpecial }) => isSpecial !== true);
    try {
      this.#tokenizer = new HuggingFaceTokenizer({ ...file, added_tokens: plain }, {});
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
    this.#special = new Map(special.map(({ id, content }) => [id, content]));
    this.#added = new Map(added.map(({ id, content }) => [content, id]));
    this.#literal = new Map(plain.map(({ id, content }) => [id, Buffer.byteLength(content)]));
    this.#isByteLevel = decoders.includes("ByteLevel");
    this.#isPlain = this.#isByteLevel && normalizer == null;
    this.#unknown =
      model.unk_id ?? (model.unk_token == null ? undefined : this.#tokenizer.token_to_id(model.unk_token));
    this.#hasFirstMark = !this.#isByteLevel && this.#marksFirst();
  }

  encode(text: string): Int32Array {
    return this.#tokensOf(text, this.#tokenizer);
  }

  /** Tokens of a text in which special tokens stand by their words, as templates of chats write them. @throws as `encode` */
  encodeMarked(text: string): Int32Array {
    this.#marking ??= new HuggingFaceTokenizer(this.#file, {});
    return this.#tokensOf(text, this.#marking);
  }

  /** The words of its special tokens. */
  get specialWords(): readonly string[] {
    return [...this.#special.values()];
  }

  /** The token that is exactly this. */
  tokenOf(word: string): number | undefined {
    return this.#added.get(word) ?? this.#tokenizer.token_to_id(word);
  }

  #tokensOf(text: string, tokenizer: HuggingFaceTokenizer): Int32Array {
    const ids = Int32Array.from(tokenizer.encode(text, { add_special_tokens: false }).ids);
    const isMarked = tokenizer === this.#marking;
    const isText = (id: number) =>
      id >= 0 && id < this.vocabulary && id !== this.#unknown && (isMarked || !this.#special.has(id));
    const bytes = (id: number) => Buffer.byteLength(this.#special.get(id) ?? "") + this.bytesOf(id);
    const isWhole = !this.#isPlain || ids.reduce((sum, id) => sum + bytes(id), 0) >= Buffer.byteLength(text);
    if (!ids.every(isText) || !isWhole) {
      const remedy = "give a tokenizer that covers the text";
      throw new LanguageModelError("unknown-character", "the tokenizer has no tokens for a part of the text", remedy);
    }
    return ids;
  }

  decode(ids: ArrayLike<number>): string {
    const known = Array.from(ids).filter((id) => !this.#special.has(id));
    // The library takes no empty list.
    if (known.length === 0) return "";
    return this.#tokenizer.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }

  /** Of the token itself, and not of its text, which for a part of a character would be that of U+FFFD. */
  bytesOf(id: number, before?: number): number {
    const token = this.#special.has(id) ? undefined : this.#tokenizer.id_to_token(id);
    if (token === undefined) return 0;
    const literal = this.#literal.get(id);
    if (literal !== undefined) return literal;
    // One printable character stands for each byte.
    if (this.#isByteLevel) return [...token].length;
    if (BYTE_TOKEN.test(token)) return 1;
    const isMarked = before === this.bos && this.#hasFirstMark && token.startsWith(SPACE_MARK);
    return Buffer.byteLength(token.replaceAll(SPACE_MARK, " ")) - (isMarked ? 1 : 0);
  }

  /** Told by a token with a mark: what it decodes to at the beginning of a text has no space then. */
  #marksFirst(): boolean {
    const marked = [...this.#tokenizer.get_vocab(false).keys()].find((token) => /^▁[^▁]+$/.test(token));
    const id = marked === undefined ? undefined : this.#tokenizer.token_to_id(marked);
    return id !== undefined && !this.decode([id]).startsWith(" ");
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
