import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeOn } from "../backend.suite.ts";
import { distance } from "../engine.suite.ts";
import type { Backend, Engine } from "../engine.ts";
import { jsBackend } from "../js/js-backend.ts";
import type { OptimizerStep } from "../optimizer.ts";
import { ortBackend } from "../ort/ort-backend.ts";
import type { Program } from "../program.ts";
import { ProgramBuilder } from "../program-builder.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { wasmRelaxedBackend, wasmStrictBackend } from "../wasm/wasm-backend.ts";
import { HAS_SOFTWARE_GPU } from "../webgpu/software-gpu.suite.ts";
import { webGpuBackend } from "../webgpu/webgpu-backend.ts";

/** Written by write-torch-values.py, beside this file. */
interface TorchValues {
  readonly torch: string;
  readonly models: Readonly<Record<keyof typeof models, TorchModel>>;
}

interface TorchModel {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  /** After three steps. */
  readonly updated: Readonly<Record<string, readonly number[]>>;
}

const VALUES = JSON.parse(readFileSync(new URL("torch-values.json", import.meta.url), "utf8")) as TorchValues;
const [B, T, HEADS, HEAD_DIM, VOCABULARY] = [2, 5, 2, 4, 7] as const;
const WIDTH = HEADS * HEAD_DIM;
const MAX_RELATIVE = 1e-4;

/** Models, and the matrices that Muon updates: wide, tall and square ones, stored both ways round. */
const models = {
  gpt: { build: buildGpt, muon: [] },
  llama: { build: buildLlama, muon: [] },
  gptMuon: { build: buildGpt, muon: ["qkv", "proj", "up", "down"] },
  llamaMuon: { build: buildLlama, muon: ["q", "k", "v", "proj", "gate", "up", "down", "square"] },
} as const;
const softwareGpu = HAS_SOFTWARE_GPU ? [webGpuBackend({ isSoftware: true })] : [];
const cases = [jsBackend, wasmStrictBackend, wasmRelaxedBackend, ortBackend, ...softwareGpu].flatMap((backend) =>
  (Object.keys(models) as (keyof typeof models)[]).map((model) => ({ backend, model })),
);

for (const { backend, model } of cases) {
  describeOn(backend.name)(`${model} on ${backend.name}`, () => {
    test("has PyTorch's losses, gradients and norms, and its parameters after three steps", async () => {
      const want = VALUES.models[model];
      const { build, muon } = models[model];
      const engine = await load(backend, build(want.shapes), want.shapes);
      const groups = groupsOf(Object.keys(want.shapes), muon);
      for (const [at, loss] of want.losses.entries()) {
        expect(Math.abs((await engine.backward()) / loss - 1)).toBeLessThan(MAX_RELATIVE);
        for (const [name, gradient] of at === 0 ? Object.entries(want.gradients) : []) {
          expect(distance(await engine.get(name, "gradient"), Float32Array.from(gradient)), name).toBeLessThan(
            MAX_RELATIVE,
          );
        }
        const norm = await engine.step({ step: at + 1, clipNorm: 0.2, groups });
        expect(Math.abs(norm / (want.norms[at] ?? 0) - 1)).toBeLessThan(MAX_RELATIVE);
      }
      for (const [name, values] of Object.entries(want.updated)) {
        expect(distance(await engine.get(name), Float32Array.from(values)), name).toBeLessThan(MAX_RELATIVE);
      }
    });
  });
}

test("the recorded values are of every parameter", () => {
  expect(Object.keys(VALUES.models.gpt.gradients)).toHaveLength(10);
  expect(Object.keys(VALUES.models.llama.updated)).toHaveLength(11);
});

function groupsOf(names: readonly string[], muon: readonly string[]): OptimizerStep["groups"] {
  const rest = names.filter((name) => !muon.includes(name));
  const rates = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1 };
  return [
    { kind: "adamw", parameters: rest, ...rates },
    { kind: "muon", parameters: muon, learningRate: 0.02, momentum: 0.9, weightDecay: 0.1 },
  ];
}

async function load(backend: Backend, program: Program, shapes: TorchModel["shapes"]): Promise<Engine> {
  const engine = await backend.load(program);
  for (const [order, [name, shape]] of Object.entries(shapes).entries()) {
    engine.set(
      name,
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((i * 37 + order * 11) % 101) - 50) / 128),
    );
  }
  const rows = Array.from({ length: B * T }, (_, i) => i);
  engine.input(
    "ids",
    Int32Array.from(rows, (i) => (i * i + 3 * i) % VOCABULARY),
  );
  engine.input(
    "targets",
    Int32Array.from(rows, (i) => (i % 4 === 3 ? -1 : (2 * i + 1) % VOCABULARY)),
  );
  return engine;
}

function buildGpt(shapes: TorchModel["shapes"]): Program {
  const b = new ProgramBuilder();
  const p = parametersOf(b, shapes);
  const [ids, targets] = [b.input("ids", [B * T], "i32"), b.input("targets", [B * T], "i32")];
  const embedded = b.add(b.embedding(p("table"), ids), p("positions"));
  const qkv = b.matmul(b.layerNorm(embedded, p("gain"), p("bias")), p("qkv"), { transposed: true });
  const [q, k, v] = b.split(qkv, [WIDTH, WIDTH, WIDTH]) as [Tensor, Tensor, Tensor];
  const mixed = b.causalAttention(q, k, v, { B, T, heads: HEADS, headDim: HEAD_DIM });
  const x = b.matmul(mixed, p("proj"), { transposed: true, bias: p("projBias"), residual: embedded });
  const h = b.matmul(b.layerNorm(x), p("up"), { transposed: true });
  const y = b.matmul(b.add(b.gelu(h), b.gelu(h, "tanh")), p("down"), { transposed: true, residual: x });
  const logits = b.matmul(b.layerNorm(y, p("lastGain")), p("table"), { transposed: true });
  return b.build(b.crossEntropy(logits, targets));
}

function buildLlama(shapes: TorchModel["shapes"]): Program {
  const b = new ProgramBuilder();
  const p = parametersOf(b, shapes);
  const [ids, targets] = [b.input("ids", [B * T], "i32"), b.input("targets", [B * T], "i32")];
  const embedded = b.embedding(p("table"), ids);
  const h = b.rmsNorm(embedded, p("gain"));
  const q = b.rope(b.matmul(h, p("q")), { heads: HEADS, headDim: HEAD_DIM, theta: 100, T });
  const k = b.rope(b.matmul(h, p("k")), { heads: 1, headDim: HEAD_DIM, theta: 100, T });
  const shape = { B, T, heads: HEADS, kvHeads: 1, headDim: HEAD_DIM };
  const mixed = b.causalAttention(q, k, b.matmul(h, p("v")), shape);
  const x = b.matmul(mixed, p("proj"), { residual: embedded });
  const normal = b.rmsNorm(x);
  const gated = b.matmul(b.swiglu(b.matmul(normal, p("gate")), b.matmul(normal, p("up"))), p("down"), { residual: x });
  const y = b.add(gated, b.relu2(b.matmul(normal, p("square"))));
  const logits = b.softcap(b.matmul(b.rmsNorm(y), p("head")), 1.5);
  return b.build(b.crossEntropy(logits, targets));
}

/** The parameters by name; recorded in the order of the file. */
function parametersOf(b: ProgramBuilder, shapes: TorchModel["shapes"]): (name: string) => Tensor {
  const tensors = new Map(Object.entries(shapes).map(([name, shape]) => [name, b.parameter(name, shape)]));
  return (name) => {
    const found = tensors.get(name);
    if (found === undefined) throw new RangeError(`no shape of "${name}" in torch-values.json`);
    return found;
  };
}
