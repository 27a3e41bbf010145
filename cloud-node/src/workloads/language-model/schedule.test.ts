import { expect, test } from "vitest";
import { initialValues } from "./initial-values.ts";
import { settleModel } from "./model-config.ts";
import { OptimizerSteps } from "./optimizer-step.ts";
import { parameterSpecs } from "./parameters.ts";
import { parseRunConfig } from "./parse-run-config.ts";
import { type ScheduleConfig, shardsOf } from "./run-config.ts";
import { muonDecayShare, muonMomentum, rateShare } from "./schedule.ts";

const COSINE: ScheduleConfig = { kind: "cosine", warmup: 100, warmdown: 0.65, finalShare: 0.1 };
const TRAPEZOID: ScheduleConfig = { kind: "trapezoid", warmup: 40, warmdown: 0.65, finalShare: 0.05 };

test.each([
  // lr 1e-3 to 1e-4, warm-up 100, decay to 2000: values of nanoGPT's get_lr, divided by 1e-3.
  [0, 1 / 101],
  [99, 100 / 101],
  [100, 1],
  [1050, 0.55],
  [2000, 0.1],
  [5000, 0.1],
])("nanoGPT's rate at step %d is %d of the full one", (step, share) => {
  expect(rateShare(COSINE, step, 2000)).toBeCloseTo(share, 12);
});

test.each([
  // 1000 steps: 40 up, level to 350, down over 650 to 0.05.
  [0, 1 / 40],
  [39, 1],
  [350, 1],
  [351, 649 / 650 + 0.05 / 650],
  [675, 0.525],
  [1000, 0.05],
])("nanochat's rate at step %d is %d of the full one", (step, share) => {
  expect(rateShare(TRAPEZOID, step, 1000)).toBeCloseTo(share, 12);
});

test("Muon's momentum rises over 400 steps, and falls with the rates; its decay ends at nothing", () => {
  const at = [0, 200, 400, 1750, 3375, 5000].map((step) => muonMomentum(TRAPEZOID, step, 5000));
  for (const [i, expected] of [0.85, 0.91, 0.97, 0.97, 0.935, 0.9].entries()) expect(at[i]).toBeCloseTo(expected, 12);
  expect([0, 2500, 5000].map((step) => muonDecayShare(step, 5000))).toEqual([1, expect.closeTo(0.5, 12), 0]);
});

test("nanoGPT decays tables and matrices, and no gains", () => {
  const config = parseRunConfig({ recipe: "nanogpt-cpu" });
  const { step, clipNorm, groups } = new OptimizerSteps(config, settleModel(config.model, 66)).at(100);
  expect([step, clipNorm]).toEqual([101, 1]);
  expect(groups).toMatchObject([
    { kind: "adamw", learningRate: 1e-3, beta1: 0.9, beta2: 0.99, weightDecay: 0.1 },
    { kind: "adamw", learningRate: 1e-3, weightDecay: 0 },
  ]);
  expect(groups[1]?.parameters.every((name) => name.includes("ln_"))).toBe(true);
  expect(groups.flatMap(({ parameters }) => parameters)).toHaveLength(2 + 4 * 8 + 1);
});

test("nanochat's rates are scaled by the batch, the width and the depth", () => {
  const config = parseRunConfig({ recipe: "nanochat" });
  const { clipNorm, groups } = new OptimizerSteps(config, settleModel(config.model, 100)).at(100);
  expect(clipNorm).toBeUndefined();
  // 32 rows of 512 tokens: √(2^14 / 2^19); width 384: √(768 / 384).
  const batch = Math.sqrt(1 / 32);
  // Weights of 12 layers 768 wide over those of 6 layers 384 wide, with heads of 100 tokens.
  const depth = (12 * 12 * 768 ** 2 + 100 * 768) / (6 * 12 * 384 ** 2 + 100 * 384);
  expect(groups).toMatchObject([
    {
      kind: "adamw",
      parameters: ["transformer.wte.weight"],
      learningRate: 0.3 * batch * Math.SQRT2,
      beta1: 0.8,
      beta2: 0.995,
    },
    {
      kind: "adamw",
      parameters: ["lm_head.weight"],
      learningRate: 0.008 * batch * Math.SQRT2,
      beta2: 0.96,
      eps: 1e-10,
    },
    { kind: "muon", learningRate: 0.02 * batch },
  ]);
  const muon = groups[2];
  expect(muon?.parameters).toHaveLength(6 * 6);
  expect(muon?.weightDecay).toBeCloseTo(0.28 * batch * depth * muonDecayShare(100, 5000), 12);
});

test.each(
  ["adamw", "muon"].flatMap((kind) =>
    ["none", "layer", "rms", "rms-plain"].flatMap((norm) =>
      ["true", "false"].map((tied) => [kind, norm, tied] as const),
    ),
  ),
)("with %s, norm %s and tied %s every tensor is learned by one group, with a rate above 0", (kind, norm, tied) => {
  const settings = [`optimizer.kind=${kind}`, `model.norm=${norm}`, `model.tied=${tied}`, "model.activation=swiglu"];
  const config = parseRunConfig({ settings });
  const model = settleModel(config.model, 66);
  const { groups } = new OptimizerSteps(config, model).at(100);
  const names = parameterSpecs(model).map(({ name }) => name);
  expect(groups.flatMap(({ parameters }) => parameters).toSorted()).toEqual(names.toSorted());
  for (const { learningRate } of groups) expect(learningRate).toBeGreaterThan(0);
  const decaying = groups.filter(({ weightDecay }) => weightDecay > 0).flatMap(({ parameters }) => parameters);
  expect(decaying.some((name) => name.includes(".ln_"))).toBe(false);
});

test("nanochat's model begins as upstream's does, and turns by its angles", () => {
  const { model } = parseRunConfig({ recipe: "nanochat" });
  expect(model).toMatchObject({ ropeTheta: 100_000, qkNorm: 1.2, softcap: 15 });
  const specs = new Map(parameterSpecs(settleModel(model, 66)).map((spec) => [spec.name, spec]));
  const largest = (name: string) => {
    const spec = specs.get(name);
    return spec === undefined ? Number.NaN : initialValues(spec, 1).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  };
  const limit = Math.sqrt(3) / Math.sqrt(384);
  for (const [name, share] of [
    ["attn.c_q", 1],
    ["mlp.c_fc", 0.4],
    ["mlp.c_proj", 0],
  ] as const) {
    const found = largest(`transformer.h.3.${name}.weight`);
    expect([name, found <= share * limit * (1 + 1e-6), found >= 0.999 * share * limit]).toEqual([name, true, true]);
  }
});

test.each([
  [{ recipe: "none" }, 'there is no recipe "none"'],
  [{ recipe: "__proto__" }, "there is no recipe"],
  [{ settings: ["model.widht=3"] }, "model.widht: there is no such option"],
  [{ settings: ["model.width"] }, '"model.width" is no setting'],
  [{ settings: ["model.width=130"] }, "width must be a multiple of heads"],
  [{ settings: ["model.kvHeads=3"] }, "heads must be a multiple of kvHeads"],
  [{ settings: ["model.positions=rope", "model.width=12"] }, "must be even"],
  [{ settings: ["data.rows=4", "data.shards=3"] }, "it must be a multiple of data.shards"],
  [{ settings: ["steps=0"] }, "steps: Invalid value"],
  [{ settings: ["steps=many"] }, "steps: Invalid type"],
  [{ settings: ["model.dropout=1"] }, "model.dropout: Invalid value"],
  [{ settings: ["engine=scalar", "optimizer.kind=muon"] }, "the scalar engine has AdamW alone"],
  [{ settings: ["engine=scalar", "model.dropout=0.1"] }, "the scalar engine leaves nothing out"],
  [{ recipe: "bigram", settings: ["optimizer.kind=muon"] }, "no matrix for Muon"],
  [{ file: [] }, "no table of options"],
  [{ file: { model: 7 } }, "model: Invalid type"],
] as const)("options %o are refused by name", (sources, part) => {
  expect(() => parseRunConfig(sources)).toThrow(part);
});

test("a batch is cut into as many parts as it can be cut into alike, up to four", () => {
  const shards = [1, 2, 6, 12, 7, 64].map((rows) => shardsOf(parseRunConfig({ settings: [`data.rows=${rows}`] })));
  expect(shards).toEqual([1, 2, 3, 4, 1, 4]);
  expect(shardsOf(parseRunConfig({ settings: ["data.rows=12", "data.shards=6"] }))).toBe(6);
});

test("a file is put over a recipe, and settings over both; a file alone has the defaults under it", () => {
  const file = { model: { width: 96 }, steps: 7 };
  const config = parseRunConfig({ recipe: "nanochat", file, settings: ["steps=9", "data.documents=lines"] });
  expect(config).toMatchObject({
    model: { width: 96, layers: 6, softcap: 15 },
    steps: 9,
    data: { documents: "lines" },
  });
  expect(parseRunConfig({ file })).toMatchObject({ model: { width: 96, layers: 4 }, steps: 7, seed: 1337 });
  expect(parseRunConfig({ file: JSON.parse(JSON.stringify(config)) })).toEqual(config);
});
