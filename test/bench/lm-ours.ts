import {
  type Backend,
  type Engine,
  normalNumbers,
  type OptimizerStep,
  type Program,
  ProgramBuilder,
  type Tensor,
} from "@lockstep/cloud-node";
import type { LmConfig } from "./lm-steps.ts";

/** Time that something has taken, ms. */
export type BenchClock = () => number;

/** The fastest training step, in ms: forward, backward, clipping, AdamW. @param clock  CPU time unless given */
export async function stepMs(backend: Backend, config: LmConfig, clock: BenchClock = cpuTimeMs): Promise<number> {
  const program = gptProgram(config);
  const engine = await backend.load(program);
  fillGpt(engine, program, config);
  let count = 0;
  const best = await fastestMs(clock, config.steps, async () => {
    count++;
    await engine.train(adamwStep(program, count));
  });
  engine.close();
  return best;
}

/** GFLOP/s of the fastest product of two matrices (n, n). @param clock  CPU time unless given */
export async function gemmGflops(backend: Backend, n: number, clock: BenchClock = cpuTimeMs): Promise<number> {
  const b = new ProgramBuilder();
  const out = b.matmul(b.parameter("x", [n, n]), b.parameter("w", [n, n]));
  const engine = await backend.load(b.build(out, { withGradients: false }));
  for (const name of ["x", "w"]) engine.set(name, normalNumbers(n * n, 1, 1, name));
  // Short products in tens: the clock of a process counts microseconds.
  const repeats = n < 512 ? 10 : 1;
  const best = await fastestMs(clock, Math.max(5, 2e9 / n ** 3 / repeats), async () => {
    for (let repeat = 0; repeat < repeats; repeat++) await engine.forward();
  });
  engine.close();
  return (2e-6 * n ** 3 * repeats) / best;
}

/** An update of all parameters, with the peer's rates. @param step  from 1 on */
export function adamwStep(program: Program, step: number): OptimizerStep {
  const parameters = program.parameters.map(({ name }) => name);
  const group = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1 };
  return { step, clipNorm: 1, groups: [{ kind: "adamw", parameters, ...group }] };
}

/** The same model as `Gpt` of lm_torch_steps.py. */
export function gptProgram({ layers, heads, width, T, B, vocabulary }: LmConfig): Program {
  const b = new ProgramBuilder();
  const [ids, targets] = [b.input("ids", [B * T], "i32"), b.input("targets", [B * T], "i32")];
  const table = b.parameter("table", [vocabulary, width]);
  const norm = (name: string, x: Tensor) => b.layerNorm(x, b.parameter(name, [width]));
  let x = b.add(b.embedding(table, ids), b.parameter("positions", [T, width]));
  for (let layer = 0; layer < layers; layer++) {
    const linear = (name: string, from: Tensor, columns: number, inner: number, residual?: Tensor) => {
      const weight = b.parameter(`${layer}.${name}`, [columns, inner]);
      return b.matmul(from, weight, { transposed: true, ...(residual === undefined ? {} : { residual }) });
    };
    const qkv = linear("qkv", norm(`${layer}.norm0`, x), 3 * width, width);
    const [q = qkv, k = qkv, v = qkv] = b.split(qkv, [width, width, width]);
    const mixed = b.causalAttention(q, k, v, { B, T, heads, headDim: width / heads });
    x = linear("proj", mixed, width, width, x);
    const up = b.gelu(linear("up", norm(`${layer}.norm1`, x), 4 * width, width));
    x = linear("down", up, width, 4 * width, x);
  }
  const logits = b.matmul(norm("norm", x), table, { transposed: true });
  return b.build(b.crossEntropy(logits, targets));
}

/** Gains of 1, tokens that are the peer's too, and weights. */
export function fillGpt(
  engine: Engine,
  program: Program,
  { T, B, vocabulary }: LmConfig,
  weights = (count: number, name: string) => normalNumbers(count, 0.02, 1, name),
): void {
  for (const { name, tensor } of program.parameters) {
    const count = tensor.shape.reduce((product, length) => product * length, 1);
    engine.set(name, tensor.shape.length === 1 ? new Float32Array(count).fill(1) : weights(count, name));
  }
  const tokens = Int32Array.from({ length: B * T + 1 }, (_, i) => (i * 7 + i * i * 3) % vocabulary);
  engine.input("ids", tokens.subarray(0, B * T));
  engine.input("targets", tokens.subarray(1));
}

async function fastestMs(clock: BenchClock, times: number, act: () => Promise<unknown>): Promise<number> {
  await act();
  let best = Number.POSITIVE_INFINITY;
  for (let time = 0; time < times; time++) {
    const start = clock();
    await act();
    best = Math.min(best, clock() - start);
  }
  return best;
}

function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
