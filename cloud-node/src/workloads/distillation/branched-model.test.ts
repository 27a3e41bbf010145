import { expect, test } from "vitest";
import { RandomStream } from "../../tensor/random.ts";
import { layOutBatch } from "../lora/answer-batch.ts";
import { tokenizeExamples } from "../lora/tokenized-example.ts";
import { BranchedModel } from "./branched-model.ts";
import { capabilityOf } from "./capabilities.ts";
import { TINY, WRITER, watchedRun } from "./distillation-rig.suite.ts";
import { ExamplePool, takeExamples } from "./example-pool.ts";
import { drawnWeights, llamaOf } from "./llama.ts";

const CONFIG = llamaOf(TINY);
const EXAMPLES = tokenizeExamples(WRITER, takeExamples(capabilityOf("arithmetic"), 6, 1));
const ADAPTER = { rank: 2, scale: 2, dropout: 0, targets: ["q_proj", "down_proj"] as const };
const SHAPE = new ExamplePool(EXAMPLES, 0).shapeFor(6, 1);
const BATCH = layOutBatch(EXAMPLES, SHAPE);
const ANCHOR = { layer: 1, of: 1, components: 3 };

interface Parts {
  readonly isBackboneTrained: boolean;
  readonly isAdapted: boolean;
  readonly name?: "js" | "wasm-strict";
}

async function open({ isBackboneTrained, isAdapted, name = "js" }: Parts): Promise<BranchedModel> {
  const branches = ["a", "b"].map((branch) => ({
    ...{ name: branch, shape: SHAPE, anchors: branch === "a" ? [ANCHOR] : [] },
    adapter: isAdapted ? ADAPTER : undefined,
  }));
  const plan = { config: CONFIG, branches, isBackboneTrained, areAdaptersTrained: isAdapted };
  const model = await BranchedModel.create(await watchedRun(name).backend(), plan, drawnWeights(CONFIG, 3), 5);
  for (const branch of ["a", "b"]) model.feed(branch, BATCH);
  return model;
}

function numbers(count: number, name: string): Float32Array {
  const random = new RandomStream(1, name);
  return Float32Array.from({ length: count }, () => random.nextUniform());
}

test("with a teacher's probabilities the loss of outputs is their cross-entropy", async () => {
  const model = await open({ isBackboneTrained: true, isAdapted: false });
  const { vocabulary } = CONFIG;
  const rows = BATCH.targets.length;
  const shares = Array.from({ length: rows }, (_, row) => {
    const raw = numbers(vocabulary, `row ${row}`);
    const sum = raw.reduce((all, each) => all + each, 0);
    return raw.map((each) => each / sum);
  });
  const soft = new Float32Array(rows * vocabulary);
  for (const [row, target] of BATCH.targets.entries()) {
    if (target < 0) continue;
    for (let token = 0; token < vocabulary; token += 1) {
      soft[row * vocabulary + token] = (Number(token === target) - (shares[row]?.[token] ?? 0)) / BATCH.count;
    }
  }
  model.feedSoft("a", soft);
  await model.forward();
  const logits = await model.logits("a");
  let expected = 0;
  for (const [row, target] of BATCH.targets.entries()) {
    if (target < 0) continue;
    const these = logits.slice(row * vocabulary, (row + 1) * vocabulary);
    const logSum = Math.log(these.reduce((sum, logit) => sum + Math.exp(logit), 0));
    for (const [token, logit] of these.entries())
      expected += ((shares[row]?.[token] ?? 0) * (logSum - logit)) / BATCH.count;
  }
  expect((await model.losses("a")).output).toBeCloseTo(expected, 5);
  model.close();
});

test("the loss of anchors is the weighted squared distance of mapped hidden numbers from the coordinates", async () => {
  const model = await open({ isBackboneTrained: true, isAdapted: false });
  const { layer, of, components } = ANCHOR;
  const rows = SHAPE.sequences * SHAPE.length;
  const [wanted, weights] = [numbers(rows * components, "wanted"), numbers(rows * components, "weights")];
  model.feedAnchor(
    "a",
    ANCHOR,
    wanted.map((each) => -each),
    weights,
  );
  await model.forward();
  const map = await model.weight(`a/anchor/${of}/map`);
  const hidden = await model.hidden("a", layer);
  let expected = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let component = 0; component < components; component += 1) {
      let seen = 0;
      for (let at = 0; at < TINY.width; at += 1) {
        seen += (hidden[row * TINY.width + at] as number) * (map[component * TINY.width + at] as number);
      }
      const place = row * components + component;
      expected += ((weights[place] as number) * (seen - (wanted[place] as number))) ** 2;
    }
  }
  const { anchor } = await model.losses("a");
  expect(anchor / expected).toBeCloseTo(1, 5);
  expect((await model.losses("b")).anchor).toBe(0);
  model.close();
});

test("gradients reach adapters and anchors, and not a frozen backbone", async () => {
  const model = await open({ isBackboneTrained: false, isAdapted: true, name: "wasm-strict" });
  const backbone = "transformer.h.0.attn.c_q.weight";
  const before = await model.weight(backbone);
  expect(model.trained.every((name) => /^[ab]\/(transformer|anchor)/.test(name))).toBe(true);
  await expect(model.gradient(backbone)).rejects.toMatchObject({ code: "no-gradient" });
  const adamw = { kind: "adamw", learningRate: 0.1, beta1: 0.9, beta2: 0.98, eps: 1e-8, weightDecay: 0 } as const;
  await model.train({ step: 1, groups: [{ ...adamw, parameters: model.trained }] });
  expect(await model.weight(backbone)).toEqual(before);
  for (const branch of ["a", "b"]) {
    const up = await model.gradient(`${branch}/transformer.h.1.mlp.c_proj.weight.lora_B`);
    expect(up.some((each) => each !== 0)).toBe(true);
  }
  model.close();
});

test("an adapter's gradient is that of its own branch alone", async () => {
  const model = await open({ isBackboneTrained: false, isAdapted: true, name: "wasm-strict" });
  model.feed("b", { ...BATCH, targets: BATCH.targets.map(() => -1) });
  await model.backward();
  const name = "transformer.h.0.mlp.c_proj.weight.lora_B";
  expect((await model.gradient(`a/${name}`)).some((each) => each !== 0)).toBe(true);
  expect((await model.gradient(`b/${name}`)).every((each) => each === 0)).toBe(true);
  model.close();
});

test("what was kept comes back to the bit, states of the optimizer too", async () => {
  const model = await open({ isBackboneTrained: true, isAdapted: true, name: "wasm-strict" });
  const update = (step: number) => {
    const adamw = { kind: "adamw", learningRate: 0.01, beta1: 0.9, beta2: 0.98, eps: 1e-8, weightDecay: 0 } as const;
    return { step, groups: [{ ...adamw, parameters: model.trained }] };
  };
  await model.train(update(1));
  const kept = await model.snapshot();
  const first = await model.train(update(2));
  const after = await model.snapshot();
  expect(after).not.toEqual(kept);
  model.restore(kept);
  expect(await model.train(update(2))).toEqual(first);
  expect(await model.snapshot()).toEqual(after);
  model.close();
});
