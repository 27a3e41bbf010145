import { expect, test } from "vitest";
import { tokenizeExamples } from "../lora/tokenized-example.ts";
import { BranchedModel } from "./branched-model.ts";
import { capabilityOf } from "./capabilities.ts";
import { TINY, WRITER, watchedRun } from "./distillation-rig.suite.ts";
import { ExamplePool, takeExamples } from "./example-pool.ts";
import { ablateLayers, keyLayers } from "./layer-ablation.ts";
import { drawnWeights, llamaOf } from "./llama.ts";

const CONFIG = llamaOf({ ...TINY, layers: 3 });
const EXAMPLES = tokenizeExamples(WRITER, takeExamples(capabilityOf("formats"), 20, 1));

async function open(): Promise<BranchedModel> {
  const shape = new ExamplePool(EXAMPLES, 0).shapeFor(8, 1);
  const plan = { config: CONFIG, isBackboneTrained: false, areAdaptersTrained: false };
  const branches = [{ name: "formats", shape, anchors: [] }];
  return await BranchedModel.create(await watchedRun().backend(), { ...plan, branches }, drawnWeights(CONFIG, 3), 1);
}

test("a layer that does nothing costs nothing, and the model is afterwards as it was", async () => {
  const model = await open();
  const idle = ["attn.c_proj", "mlp.c_proj"].map((part) => `transformer.h.1.${part}.weight`);
  for (const name of idle) model.setWeight(name, new Float32Array((await model.weight(name)).length));
  const other = "transformer.h.2.mlp.c_proj.weight";
  const before = await model.weight(other);
  const costs = await ablateLayers(model, "formats", EXAMPLES);
  expect(costs.map(({ layer }) => layer)).toEqual([0, 1, 2]);
  expect(costs[1]?.lossRise).toBe(0);
  expect(costs[0]?.lossRise).not.toBe(0);
  expect(await model.weight(other)).toEqual(before);
  model.close();
});

test("key layers are those that cost most, in the order of the model", () => {
  const costs = [0.5, -0.1, 3, 0.7].map((lossRise, layer) => ({ layer, lossRise }));
  expect(keyLayers(costs, 2)).toEqual([2, 3]);
  expect(keyLayers(costs, 3)).toEqual([0, 2, 3]);
  expect(keyLayers(costs, 9)).toEqual([0, 1, 2, 3]);
});
