import type { WeightSource } from "../language-model/decoder.ts";
import type { Floats } from "../language-model/safetensors-reader.ts";
import { type Adapter, scaleOf } from "./low-rank.ts";
import { type LoadedModel, readTokenizerFiles } from "./model-folder.ts";
import { writeModelFolder } from "./write-model-folder.ts";

/**
 * Write a model that is a base with its adapter added in: any program that knows the base takes it.
 *
 * @throws {LoraError} `folder-taken`; {LanguageModelError} `no-room`
 */
export async function mergeAdapter(folder: string, model: LoadedModel, adapter: Adapter): Promise<void> {
  const { config, ends } = model;
  const files = await readTokenizerFiles(model.folder);
  await writeModelFolder(folder, { config, ends: [...ends], ...files, weights: mergedWeights(model.weights, adapter) });
}

/** A model's weights with those of an adapter: W + scale · up · down, summed in doubles and rounded once. */
export function mergedWeights(base: WeightSource, adapter: Adapter): WeightSource {
  return {
    async floats(name, shape): Promise<Floats> {
      const weight = await base.floats(name, shape);
      const pair = adapter.pairs.get(name);
      if (pair === undefined) return weight;
      const { rank } = adapter;
      const [outputs = 0, inputs = 0] = shape;
      const scale = scaleOf(adapter);
      const sums = new Float64Array(inputs);
      for (let row = 0; row < outputs; row += 1) {
        sums.fill(0);
        for (let r = 0; r < rank; r += 1) {
          const factor = scale * (pair.up[row * rank + r] as number);
          for (let i = 0; i < inputs; i += 1)
            sums[i] = (sums[i] as number) + factor * (pair.down[r * inputs + i] as number);
        }
        for (let i = 0; i < inputs; i += 1)
          weight[row * inputs + i] = (weight[row * inputs + i] as number) + (sums[i] as number);
      }
      return weight;
    },
  };
}
