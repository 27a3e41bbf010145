import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import { HfTokenizer } from "./hf-tokenizer.ts";
import { METASPACE } from "./metaspace.suite.ts";
import { restoreTokenizer } from "./restore-tokenizer.ts";

/** "hello" and " world" in byte-level BPE, with merges written out by hand. */
const BYTE_LEVEL = {
  version: "1.0",
  added_tokens: [
    { id: 0, content: "<|bos|>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab: Object.fromEntries("<|bos|> h e l o Ġ w r d Ã © he ll hell Ġw".split(" ").map((token, id) => [token, id])),
    merges: ["h e", "l l", "he ll", "Ġ w"],
  },
};

describe("characters", () => {
  test("the beginning of a document is 0, and characters follow in order of code point", () => {
    const tokenizer = CharTokenizer.of("ba\né😀a");
    expect(tokenizer.vocabulary).toBe(6);
    expect([...tokenizer.encode("\nabé😀")]).toEqual([1, 2, 3, 4, 5]);
    expect(tokenizer.bos).toBe(0);
    expect(tokenizer.decode([0, 3, 2, 5])).toBe("ba😀");
    expect([0, 2, 4, 5].map((id) => tokenizer.bytesOf(id))).toEqual([0, 1, 2, 4]);
  });

  test("a character that is not there is told with its place", () => {
    const tokenizer = CharTokenizer.of("abc\n");
    expect(() => tokenizer.encode("abc\nab\u{1f600}")).toThrow(
      'line 2, column 3: the model was not trained on "😀" (U+1F600)',
    );
  });
});

test("bytes are tokens by their value, and text that is cut inside of a character is still text", () => {
  const tokenizer = new ByteTokenizer();
  expect([...tokenizer.encode("é\n")]).toEqual([0xc3, 0xa9, 10]);
  expect(tokenizer.vocabulary).toBe(257);
  expect(tokenizer.decode([256, 0xc3, 0xa9, 0xc3])).toBe("é\ufffd");
  expect([0, 255, 256].map((id) => tokenizer.bytesOf(id))).toEqual([1, 1, 0]);
});

describe("Hugging Face", () => {
  const tokenizer = new HfTokenizer(BYTE_LEVEL);

  test("merges are made in their order", () => {
    expect([...tokenizer.encode("hello world")]).toEqual([13, 4, 14, 4, 7, 3, 8]);
    expect(tokenizer.decode([0, 13, 4, 14, 4, 7, 3, 8])).toBe("hello world");
    expect([tokenizer.vocabulary, tokenizer.bos]).toEqual([15, 0]);
  });

  test("a token has as many bytes as the text that it stands for, and half a character has one", () => {
    expect([13, 14, 9, 0, 99].map((id) => tokenizer.bytesOf(id))).toEqual([4, 2, 1, 0, 0]);
    const bytes = [...tokenizer.encode("hello é world")].reduce((sum, id) => sum + tokenizer.bytesOf(id), 0);
    expect(bytes).toBe(Buffer.byteLength("hello é world"));
  });

  test("words of a special token in a text are words, and are not the token", () => {
    const tokens = tokenizer.encode("hello");
    expect(() => tokenizer.encode("<|bos|>")).toThrow("has no tokens for a part of the text");
    const wide = { ...BYTE_LEVEL.model.vocab, "<": 15, "|": 16, b: 17, s: 18, ">": 19 };
    const able = new HfTokenizer({
      ...BYTE_LEVEL,
      added_tokens: [...BYTE_LEVEL.added_tokens, { id: 20, content: "€", special: false }],
      model: { ...BYTE_LEVEL.model, vocab: wide },
    });
    expect([[...able.encode("h€")], able.bytesOf(20)]).toEqual([[1, 20], 3]);
    expect([...able.encode("<|bos|>")]).toEqual([15, 16, 17, 4, 18, 16, 19]);
    expect([...able.encode("hello")]).toEqual([...tokens]);
    expect(able.decode(able.encode("<|bos|>"))).toBe("<|bos|>");
  });

  test("a space that is put in front of a text counts no byte, and those inside do", () => {
    const marked = new HfTokenizer(METASPACE);
    const document = [marked.bos, ...marked.encode("a b")];
    expect(document).toEqual([0, 4, 5]);
    const bytes = document.slice(1).map((id, at) => marked.bytesOf(id, document[at]));
    expect(bytes).toEqual([1, 2]);
    expect(marked.bytesOf(4, 5)).toBe(2);
  });

  test("text without tokens is refused, and is not passed over", () => {
    expect(() => new HfTokenizer(METASPACE).encode("a z")).toThrow("has no tokens for a part of the text");
  });

  test.each([
    [{}, "model"],
    [
      {
        ...BYTE_LEVEL,
        decoder: { type: "WordPiece", prefix: "##", cleanup: true },
        model: {
          ...{ type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100 },
          vocab: { "<|bos|>": 0, "[UNK]": 1, sing: 2, "##ing": 3 },
        },
      },
      "its decoder WordPiece does not give back the text",
    ],
    [{ ...BYTE_LEVEL, added_tokens: [] }, "none of its special tokens is <|bos|>"],
    [{ ...BYTE_LEVEL, model: { type: "Magic" } }, "no tokenizer of Hugging Face"],
  ])("a file that is no tokenizer is refused", (file, part) => {
    expect(() => new HfTokenizer(file)).toThrow(part);
  });
});

test("what was kept of a tokenizer makes the same one", async () => {
  for (const tokenizer of [CharTokenizer.of("hello é wörld"), new ByteTokenizer(), new HfTokenizer(BYTE_LEVEL)]) {
    const again = await restoreTokenizer(JSON.parse(JSON.stringify(tokenizer.toJson())));
    expect([...again.encode("hello")]).toEqual([...tokenizer.encode("hello")]);
    expect([again.kind, again.vocabulary, again.bos]).toEqual([tokenizer.kind, tokenizer.vocabulary, tokenizer.bos]);
  }
});

test.each([
  undefined,
  7,
  {},
  { kind: "char" },
  { kind: "char", characters: "ba" },
  { kind: "char", characters: "aa" },
  { kind: "hf", file: 1 },
])("%j is no tokenizer", async (saved) => {
  await expect(restoreTokenizer(saved)).rejects.toMatchObject({ code: "bad-tokenizer" });
});

test("any text comes back from characters and from bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const whole = text.toWellFormed();
      for (const tokenizer of [CharTokenizer.of(whole), new ByteTokenizer()]) {
        const ids = tokenizer.encode(whole);
        expect(tokenizer.decode(ids)).toBe(whole);
        expect(ids.reduce((sum, id) => sum + tokenizer.bytesOf(id), 0)).toBe(Buffer.byteLength(whole));
      }
    }),
  );
});
