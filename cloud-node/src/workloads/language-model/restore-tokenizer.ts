import * as v from "valibot";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import { LanguageModelError } from "./language-model-error.ts";
import type { Tokenizer } from "./tokenizer.ts";

const savedSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("char"), characters: v.string() }),
  v.strictObject({ kind: v.literal("byte") }),
  v.strictObject({ kind: v.literal("hf"), file: v.looseObject({}) }),
]);

/**
 * A tokenizer from what its `toJson` gave.
 *
 * @throws {LanguageModelError} `bad-tokenizer`
 */
export async function restoreTokenizer(saved: unknown): Promise<Tokenizer> {
  const { output, issues } = v.safeParse(savedSchema, saved);
  if (issues !== undefined) throw badTokenizer(issues[0].message);
  if (output.kind === "byte") return new ByteTokenizer();
  // Only where it is needed: the library takes a while to load.
  if (output.kind === "hf") return new (await import("./hf-tokenizer.ts")).HfTokenizer(output.file);
  const tokenizer = CharTokenizer.of(output.characters);
  const sorted = Int32Array.from({ length: tokenizer.vocabulary - 1 }, (_, at) => at + 1);
  if (tokenizer.decode(sorted) !== output.characters)
    throw badTokenizer("its characters are not each there once, in order");
  return tokenizer;
}

function badTokenizer(problem: string): LanguageModelError {
  return new LanguageModelError("bad-tokenizer", `the tokenizer is damaged: ${problem}`, "take another checkpoint");
}
