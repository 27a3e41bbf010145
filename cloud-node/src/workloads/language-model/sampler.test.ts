import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import { HfTokenizer } from "./hf-tokenizer.ts";
import { METASPACE } from "./metaspace.suite.ts";
import { parseRunConfig } from "./parse-run-config.ts";
import { promptTokens, type SampleRequest, sampleText } from "./sample-text.ts";
import { chooseToken } from "./sampler.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Probabilities 0.5, 0.25, 0.125, 0.125. */
const HALVES = Float32Array.from([0.125, 0.5, 0.125, 0.25], (p) => Math.log(p));

describe("a token is chosen", () => {
  test("by its probability, the likeliest in front", () => {
    const chosen = [0, 0.49, 0.51, 0.74, 0.76, 0.87, 0.88, 0.999].map((u) =>
      chooseToken(HALVES, { temperature: 1 }, u),
    );
    expect(chosen).toEqual([1, 1, 3, 3, 0, 0, 2, 2]);
  });

  test("always the likeliest at temperature 0, and the first of equal ones", () => {
    expect(chooseToken(HALVES, { temperature: 0 }, 0.99)).toBe(1);
    expect(chooseToken(Float32Array.of(1, 2, 2), { temperature: 0 }, 0.99)).toBe(1);
  });

  test("among the likeliest k, or those that have a share together", () => {
    expect(chooseToken(HALVES, { temperature: 1, topK: 2 }, 0.999)).toBe(3);
    expect(chooseToken(HALVES, { temperature: 1, topK: 99 }, 0.999)).toBe(2);
    expect(chooseToken(HALVES, { temperature: 1, topP: 0.5 }, 0.999)).toBe(1);
    expect(chooseToken(HALVES, { temperature: 1, topP: 0.6 }, 0.999)).toBe(3);
    expect(chooseToken(HALVES, { temperature: 1, topP: 1e-9 }, 0.999)).toBe(1);
  });

  test("with temperature as a power of probabilities", () => {
    // Squared: 16/22, 4/22, 1/22, 1/22.
    const at = (share: number) => chooseToken(HALVES, { temperature: 0.5 }, share / 22);
    expect([15.9, 16.1, 19.9, 20.1, 21.1].map(at)).toEqual([1, 3, 3, 0, 2]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("never beside a logit that is %d", (logit) => {
    for (const temperature of [0, 1]) {
      expect(() => chooseToken(Float32Array.of(1, logit, 2), { temperature }, 0.5)).toThrow(
        expect.objectContaining({ code: "logits-not-finite", problem: expect.stringContaining("token 1") }),
      );
    }
  });

  test("never of those whose logit is −∞", () => {
    for (const temperature of [0, 1]) {
      expect(chooseToken(Float32Array.of(Number.NEGATIVE_INFINITY, -9), { temperature }, 0.999)).toBe(1);
    }
  });

  test("always of those that there are", () => {
    const logits = fc.array(fc.float({ noNaN: true, min: -(2 ** 100), max: 2 ** 100 }), {
      minLength: 1,
      maxLength: 40,
    });
    const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        logits,
        unit,
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (all, u, temperature, topK) => {
          const chosen = chooseToken(Float32Array.from(all), { temperature, topK, topP: Math.max(u, 0.01) }, u);
          expect(chosen >= 0 && chosen < all.length).toBe(true);
        },
      ),
    );
  });
});

/** A model that says the letters of a text one after the other, whatever it is given. */
function reciting(ids: ArrayLike<number>, vocabulary: number) {
  let place = 0;
  return {
    next: async () => {
      const logits = new Float32Array(vocabulary);
      logits[ids[place] ?? 0] = 50;
      place += 1;
      return logits;
    },
  };
}

async function told(
  ids: ArrayLike<number>,
  tokenizer: Tokenizer,
  more: Partial<SampleRequest> = {},
  prompt: Int32Array = Int32Array.of(tokenizer.bos),
): Promise<string[]> {
  const request: SampleRequest = { prompt: "", tokens: 100, stops: [], temperature: 1, uniform: () => 0, ...more };
  const pieces: string[] = [];
  for await (const piece of sampleText(reciting(ids, tokenizer.vocabulary), tokenizer, prompt, request))
    pieces.push(piece);
  return pieces;
}

describe("a sample", () => {
  const chars = CharTokenizer.of("abcd\n");

  test("ends after so many tokens, or where the document does", async () => {
    expect((await told(chars.encode("abcdabcd"), chars, { tokens: 3 })).join("")).toBe("abc");
    expect((await told([...chars.encode("ab"), chars.bos, ...chars.encode("cd")], chars)).join("")).toBe("ab");
  });

  test("ends in front of the first stop, of which nothing was told", async () => {
    const pieces = await told(chars.encode("abcdab\n"), chars, { stops: ["cda", "b\n"] });
    expect(pieces.join("")).toBe("ab");
    expect((await told(chars.encode("abcdcdd"), chars, { tokens: 7, stops: ["cdab"] })).join("")).toBe("abcdcdd");
  });

  test("has the space between the prompt and its first word", async () => {
    const tokenizer = new HfTokenizer(METASPACE);
    const [b = 0] = tokenizer.encode("b");
    const prompt = tokenizer.encode("a");
    const pieces = await told([b, ...prompt, tokenizer.bos], tokenizer, {}, prompt);
    expect(pieces.join("")).toBe(" b a");
  });

  test("takes as long for a token wherever it stands: no more than the last ones are decoded", async () => {
    const lengths: number[] = [];
    const bytes = new ByteTokenizer();
    const decode = (ids: ArrayLike<number>) => {
      lengths.push(ids.length);
      return bytes.decode(ids);
    };
    const tokenizer: Tokenizer = {
      ...bytes,
      encode: bytes.encode,
      bytesOf: bytes.bytesOf,
      toJson: bytes.toJson,
      decode,
    };
    const text = "a€😀 ".repeat(20);
    expect((await told([...bytes.encode(text), bytes.bos], tokenizer, { tokens: 1000 })).join("")).toBe(text);
    // A character has four bytes at most, and there is one token in front.
    expect(Math.max(...lengths)).toBe(5);
  });

  test("never tells half a character", async () => {
    const bytes = new ByteTokenizer();
    const pieces = await told([...bytes.encode("a€b"), bytes.bos], bytes);
    expect(pieces.join("")).toBe("a€b");
    expect(pieces.some((piece) => piece.includes("\ufffd"))).toBe(false);
  });
});

describe("a prompt", () => {
  const tokenizer = CharTokenizer.of("abc\n");
  const crops = parseRunConfig({ settings: ["model.context=4"] });
  const packed = parseRunConfig({ settings: ["model.context=4", "data.packing=best-fit"] });

  test("begins with a document's beginning where the model was trained with them", () => {
    expect([...promptTokens(crops, tokenizer, "ab")]).toEqual([2, 3]);
    expect([...promptTokens(packed, tokenizer, "ab")]).toEqual([0, 2, 3]);
  });

  test("that is empty is a line's end, or what there is", () => {
    expect([...promptTokens(crops, tokenizer, "")]).toEqual([1]);
    expect([...promptTokens(packed, tokenizer, "")]).toEqual([0]);
    expect([...promptTokens(crops, CharTokenizer.of("ab"), "")]).toEqual([0]);
  });

  test("longer than what the model looks back on is refused", () => {
    expect(promptTokens(crops, tokenizer, "abca")).toHaveLength(4);
    expect(() => promptTokens(crops, tokenizer, "abcab")).toThrow(
      "the prompt has 5 tokens, and the model looks back on 4",
    );
    expect(() => promptTokens(packed, tokenizer, "abca")).toThrow("has 5 tokens");
    expect(() => promptTokens(crops, tokenizer, "x")).toThrow("not trained on");
  });
});
