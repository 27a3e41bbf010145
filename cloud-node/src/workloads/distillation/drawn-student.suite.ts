import { uniformNumbers } from "../../tensor/random.ts";
import { adaptedMatrices } from "../lora/low-rank.ts";
import type { Category } from "./capability.ts";
import { drawnWeights, llamaOf } from "./llama.ts";
import { writeStudent } from "./student.ts";
import { CHARACTERS } from "./vocabulary.ts";

/** A student that has learned nothing: what it says is noise, and the same noise everywhere. */
export async function writeDrawnStudent(to: string): Promise<void> {
  const config = llamaOf({ layers: 1, heads: 2, kvHeads: 1, width: 16, hidden: 16 });
  const targets = ["q_proj", "down_proj"] as const;
  const categories: Category[] = ["facts", "code"];
  const adapters = categories.map((category) => {
    const pairs = adaptedMatrices(config, targets).map(({ name, shape: [outputs = 0, inputs = 0] }) => {
      const drawn = (count: number, what: string) => uniformNumbers(count, 0.5, 1, `${category}/${name}/${what}`);
      return [name, { down: drawn(2 * inputs, "down"), up: drawn(2 * outputs, "up") }] as const;
    });
    const head = { rank: 2, alpha: 4, targets, dropout: 0, isRankStabilized: false, base: "student" };
    return [category, { ...head, pairs: new Map(pairs) }] as const;
  });
  const alphabet = CHARACTERS.join("");
  await writeStudent(to, {
    config,
    weights: { floats: async (name, shape) => loud(await drawnWeights(config, 3).floats(name, shape)) },
    adapters: new Map(adapters),
    router: {
      ...{ format: "lockstep router", version: 1, categories, alphabet, bias: [0, 0] },
      weights: categories.map((_, at) => [...alphabet].map((character) => (character === "(" ? at : 0))),
    },
    plan: {
      ...{ format: "lockstep student", version: 1 },
      adapters: categories.map((category) => ({ category, rank: 2, alpha: 4, targets: [...targets], layers: [0] })),
      parameters: { backbone: 1, adapters: 1, router: 1, total: 3, teachers: 9 },
    },
  });
}

/** Weights that are drawn as training begins say next to nothing. */
function loud(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (value) => 20 * value);
}
