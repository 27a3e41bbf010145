import { layOutBatch } from "../lora/answer-batch.ts";
import type { TokenizedExample } from "../lora/tokenized-example.ts";
import type { BranchedModel } from "./branched-model.ts";

/** Maps back into the residual stream: a layer without them leaves it as it is. */
const WAYS_BACK = ["attn.c_proj", "mlp.c_proj"];

/** What leaving a layer out costs. */
export interface LayerCost {
  readonly layer: number;
  /** Mean loss over the answers without it, less that of the whole model, nats. */
  readonly lossRise: number;
}

/** Leave out one layer after the other. The model is afterwards as it was. */
export async function ablateLayers(
  model: BranchedModel,
  branch: string,
  examples: readonly TokenizedExample[],
): Promise<LayerCost[]> {
  const whole = await meanLoss(model, branch, examples);
  const costs: LayerCost[] = [];
  for (let layer = 0; layer < model.plan.config.layers; layer += 1) {
    const kept = new Map<string, Float32Array>();
    for (const part of WAYS_BACK) {
      const name = `transformer.h.${layer}.${part}.weight`;
      const weight = await model.weight(name);
      kept.set(name, weight);
      model.setWeight(name, new Float32Array(weight.length));
    }
    costs.push({ layer, lossRise: (await meanLoss(model, branch, examples)) - whole });
    for (const [name, weight] of kept) model.setWeight(name, weight);
  }
  return costs;
}

/** The layers that a model misses most, in the order of the model. */
export function keyLayers(costs: readonly LayerCost[], count: number): number[] {
  const byCost = costs.toSorted((a, b) => b.lossRise - a.lossRise || a.layer - b.layer);
  return byCost
    .slice(0, count)
    .map(({ layer }) => layer)
    .sort((a, b) => a - b);
}

async function meanLoss(model: BranchedModel, branch: string, examples: readonly TokenizedExample[]): Promise<number> {
  const shape = model.shapeOf(branch);
  const most = shape.shards * shape.sequences;
  let [sum, count] = [0, 0];
  for (let first = 0; first < examples.length; first += most) {
    const batch = layOutBatch(examples.slice(first, first + most), shape);
    model.feed(branch, batch);
    sum += batch.count * (await model.forward());
    count += batch.count;
  }
  return sum / count;
}
