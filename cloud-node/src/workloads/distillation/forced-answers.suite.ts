import { layOutBatch } from "../lora/answer-batch.ts";
import type { TokenizedExample } from "../lora/tokenized-example.ts";
import type { BranchedModel } from "./branched-model.ts";

/**
 * Which questions a model answers exactly, told without writing its answers: who writes the likeliest token every time writes
 * the right answer if and only if each of its tokens is the likeliest behind those in front of it.
 */
export async function answersExactly(
  model: BranchedModel,
  branch: string,
  examples: readonly TokenizedExample[],
): Promise<boolean[]> {
  const { vocabulary } = model.plan.config;
  const shape = model.shapeOf(branch);
  const sequences = shape.shards * shape.sequences;
  const verdicts: boolean[] = [];
  for (let first = 0; first < examples.length; first += sequences) {
    const some = examples.slice(first, first + sequences);
    const batch = layOutBatch(some, shape);
    model.feed(branch, batch);
    await model.forward();
    const logits = await model.logits(branch);
    for (const at of some.keys()) {
      const places = Array.from({ length: shape.answers }, (_, place) => at * shape.answers + place);
      verdicts.push(
        places.every((place) => {
          const target = batch.targets[place] as number;
          return target < 0 || likeliest(logits, place * vocabulary, vocabulary) === target;
        }),
      );
    }
  }
  return verdicts;
}

function likeliest(logits: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let token = 1; token < count; token += 1) {
    if ((logits[from + token] as number) > (logits[from + best] as number)) best = token;
  }
  return best;
}
