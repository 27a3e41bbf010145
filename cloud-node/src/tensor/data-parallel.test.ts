import { afterEach, describe, expect, test } from "vitest";
import { loadDataParallel } from "./data-parallel.ts";
import { distance } from "./engine.suite.ts";
import type { DropoutDraw, Engine } from "./engine.ts";
import { jsBackend } from "./js/js-backend.ts";
import type { OptimizerStep } from "./optimizer.ts";
import type { Program } from "./program.ts";
import { ProgramBuilder } from "./program-builder.ts";
import { caseValues, transformerCase } from "./tensor-cases.suite.ts";
import { TensorError } from "./tensor-error.ts";

const SHARDS = 4;
const STEPS = 200;
const one = transformerCase(1);
const whole = transformerCase(SHARDS);
const engines: Engine[] = [];

afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

describe("the parameters after 200 steps", () => {
  test("are the same bits in two runs and with 1, 2 and 3 threads", async () => {
    const [first, ...others] = await Promise.all([1, 1, 2, 3].map(trained));
    expect(others).toEqual([first, first, first]);
  });

  test("are those of the whole batch in one part, but for roundings", async () => {
    const oracle = await filled(await jsBackend.load(whole.program));
    for (let step = 1; step <= 3; step++) await train(oracle, step);
    const engine = await shardEngine(2);
    for (let step = 1; step <= 3; step++) await train(engine, step);
    for (const { name } of one.program.parameters) {
      expect(distance(await engine.get(name), await oracle.get(name)), name).toBeLessThan(1e-4);
    }
  });
});

test("what is left out does not depend on how a batch is cut", async () => {
  const part = droppedProgram(1);
  const draw = { seed: 3, step: 5 };
  const left = await Promise.all(
    [1, 2].map(async (threads) => {
      const engine = await loadDataParallel(part, { build: "wasm-strict", shards: SHARDS, threads });
      engines.push(engine);
      return outputOf(engine, draw);
    }),
  );
  const atOnce = await outputOf(await jsBackend.load(droppedProgram(SHARDS)), draw);
  expect(left).toEqual([atOnce, atOnce]);
  expect(new Set(atOnce)).toEqual(new Set([0, 2]));
});

test("what is read is that of all shards, one behind the other", async () => {
  const engine = await shardEngine(2);
  await engine.forward();
  expect(await engine.read(one.program.output)).toHaveLength(SHARDS);
  expect(await engine.read(one.program.parameters[0]?.tensor ?? one.program.output)).toHaveLength(11 * 16);
});

test.each([
  [0, 1],
  [2, 3],
  [2, 0],
  [1.5, 1],
])("%d shards on %d threads are refused", async (shards, threads) => {
  const loading = loadDataParallel(one.program, { build: "wasm-strict", shards, threads });
  await expect(loading).rejects.toThrow(TensorError);
  await expect(loading).rejects.toMatchObject({ code: "bad-value" });
});

function droppedProgram(rows: number): Program {
  const b = new ProgramBuilder();
  const x = b.input("x", [rows, 100], "f32");
  return b.build(b.dropout(x, { name: "drop", rate: 0.5 }), { withGradients: false });
}

async function outputOf(engine: Engine, draw: DropoutDraw): Promise<Float32Array> {
  engine.input("x", new Float32Array(SHARDS * 100).fill(1));
  engine.setDropout(draw);
  await engine.forward();
  return engine.read(engine.program.output);
}

async function trained(threads: number): Promise<unknown> {
  const engine = await shardEngine(threads);
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) losses.push(await train(engine, step));
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  return [losses, ...(await Promise.all(one.program.parameters.map(({ name }) => engine.get(name))))];
}

async function shardEngine(threads: number): Promise<Engine> {
  return filled(await loadDataParallel(one.program, { build: "wasm-strict", shards: SHARDS, threads }));
}

function filled(engine: Engine): Engine {
  engines.push(engine);
  const { parameters, inputs } = caseValues(whole);
  for (const [name, values] of parameters) engine.set(name, values);
  for (const [name, values] of inputs) engine.input(name, values);
  return engine;
}

async function train(engine: Engine, step: number): Promise<number> {
  const matrices = one.program.parameters.filter(({ matrix, name }) => matrix !== undefined && name !== "table");
  const muon = matrices.map(({ name }) => name);
  const adamw = one.program.parameters.map(({ name }) => name).filter((name) => !muon.includes(name));
  const update: OptimizerStep = {
    step,
    clipNorm: 1,
    groups: [
      { kind: "adamw", parameters: adamw, learningRate: 3e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1 },
      { kind: "muon", parameters: muon, learningRate: 0.02, momentum: 0.9, weightDecay: 0.01 },
    ],
  };
  const { loss, gradientNorm } = await engine.train(update);
  expect(gradientNorm).toBeGreaterThan(0);
  return loss;
}
