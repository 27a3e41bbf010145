import * as v from "valibot";
import { ProgramBuilder } from "../../tensor/program-builder.ts";
import type { ShardedBackend } from "../language-model/open-backend.ts";
import { capabilityOf } from "./capabilities.ts";
import { CATEGORIES, type Category } from "./capability.ts";
import { takeExamples } from "./example-pool.ts";
import { CHARACTERS } from "./vocabulary.ts";

/** Questions of each capability that a router learns from. */
const QUESTIONS = 150;
const STEPS = 150;
const LEARNING_RATE = 0.3;

const finite = v.pipe(v.number(), v.finite());

/** `router.json`: which adapter a question goes to, by the share that each character has of it. */
export const routerSchema = v.pipe(
  v.strictObject({
    format: v.literal("lockstep router"),
    version: v.literal(1),
    categories: v.pipe(v.array(v.picklist(CATEGORIES)), v.minLength(1)),
    /** Characters that it knows, in the order of the weights. */
    alphabet: v.pipe(v.string(), v.minLength(1)),
    /** One for each category. */
    bias: v.array(finite),
    /** Shape (categories, characters of the alphabet). */
    weights: v.array(v.array(finite)),
  }),
  v.check(
    ({ categories, bias, weights, alphabet }) =>
      bias.length === categories.length &&
      weights.length === categories.length &&
      weights.every((row) => row.length === alphabet.length),
    "bias and weights must fit categories and alphabet",
  ),
);
export type Router = v.InferOutput<typeof routerSchema>;

/** The category whose score bias + Σ weights · share is largest; characters that are not known count for none. */
export function route({ categories, alphabet, bias, weights }: Router, prompt: string): Category {
  const shares = sharesOf(prompt, alphabet);
  const scores = weights.map((row, at) =>
    row.reduce((sum, weight, character) => sum + weight * (shares[character] as number), bias[at] as number),
  );
  return categories[scores.indexOf(Math.max(...scores))] as Category;
}

/** Numbers of a router. */
export function routerParameters({ categories, alphabet }: Pick<Router, "categories" | "alphabet">): number {
  return categories.length * (alphabet.length + 1);
}

/** Learn to tell capabilities apart from their questions alone, by logistic regression. */
export async function trainRouter(
  backend: ShardedBackend,
  categories: readonly Category[],
  seed: number,
): Promise<Router> {
  const alphabet = CHARACTERS.join("");
  const [count, size] = [categories.length, alphabet.length];
  const rows = count * QUESTIONS;
  const builder = new ProgramBuilder();
  const x = builder.input("shares", [rows, size], "f32");
  const targets = builder.input("targets", [rows], "i32");
  const w = builder.parameter("weights", [count, size]);
  const bias = builder.parameter("bias", [count]);
  const engine = await backend.load(
    builder.build(builder.crossEntropy(builder.matmul(x, w, { transposed: true, bias }), targets)),
  );
  try {
    const prompts = categories.flatMap((category) => takeExamples(capabilityOf(category), QUESTIONS, seed));
    engine.input("shares", Float32Array.from(prompts.flatMap(({ prompt }) => [...sharesOf(prompt, alphabet)])));
    engine.input(
      "targets",
      Int32Array.from({ length: rows }, (_, row) => Math.floor(row / QUESTIONS)),
    );
    const adamw = { kind: "adamw", learningRate: LEARNING_RATE, beta1: 0.9, beta2: 0.99, eps: 1e-8 } as const;
    const group = { ...adamw, weightDecay: 0, parameters: ["weights", "bias"] };
    for (let step = 1; step <= STEPS; step += 1) await engine.train({ step, groups: [group] });
    const learned = await engine.get("weights");
    return {
      ...{ format: "lockstep router", version: 1, categories: [...categories], alphabet },
      bias: [...(await engine.get("bias"))],
      weights: categories.map((_, at) => [...learned.subarray(at * size, (at + 1) * size)]),
    };
  } finally {
    engine.close();
  }
}

function sharesOf(prompt: string, alphabet: string): Float64Array {
  const shares = new Float64Array(alphabet.length);
  const places = [...prompt].map((character) => alphabet.indexOf(character)).filter((place) => place >= 0);
  for (const place of places) shares[place] = (shares[place] as number) + 1 / places.length;
  return shares;
}
