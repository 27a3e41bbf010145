import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import {
  type AdamWGroup,
  type Batch,
  parseRunConfig,
  prepareData,
  ScalarModel,
  settleModel,
} from "@lockstep/cloud-node";
import type { Bench } from "./bench.ts";
import { BenchError } from "./bench-error.ts";

const PEER = fileURLToPath(new URL("peers/scalar-gpt.py", import.meta.url));
const TEXT = new URL("../../cloud-node/src/workloads/language-model/sonnets.txt", import.meta.url);
/** Steps that are compared; ours are run many times over, after as many that are not counted. */
const STEPS = 10;
const REPEATS = 20;
/** Runs of each, in turn: the smallest counts. */
const PAIRS = 3;
const MUST_TIMES = 20;
const AIM_TIMES = 50;
/** Losses of both are the same sums in another order. */
const MOST_DIFFERENCE = 1e-9;
const RATES: Omit<AdamWGroup, "parameters"> = {
  ...{ kind: "adamw", learningRate: 0.01, beta1: 0.85, beta2: 0.99, eps: 1e-8, weightDecay: 0 },
};

interface Steps {
  readonly losses: readonly number[];
  readonly cpuSeconds: number;
}

/** A step of the scalar GPT beside the same calculation in CPython, from the same weights and on the same text. */
export const benchLmScalar: Bench = async () => {
  const config = parseRunConfig({ recipe: "scalar-gpt", settings: ["data.packing=crops"] });
  const data = prepareData(config, readFileSync(TEXT, "utf8"));
  const rows = Array.from({ length: STEPS }, () => {
    const { inputs, targets } = data.training.next();
    return [Array.from(inputs), Array.from(targets)] as const;
  });
  const model = settleModel(config.model, data.tokenizer.vocabulary);
  const batches = rows.map(([inputs, targets]): Batch => {
    return { rows: 1, context: model.context, inputs: Int32Array.from(inputs), targets: Int32Array.from(targets) };
  });
  const weights = weightsOf(new ScalarModel(model, config.seed));
  const task = { config: { ...model, eps: 2 ** -23 }, rates: RATES, weights, rows };
  ours(() => new ScalarModel(model, config.seed), batches, REPEATS);
  const found: { readonly ours: Steps; readonly peer: Steps }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    process.stderr.write(`lm-scalar: ${pair + 1} of ${PAIRS}\n`);
    found.push({ peer: await python(task), ours: ours(() => new ScalarModel(model, config.seed), batches, REPEATS) });
  }
  for (const { ours: one, peer } of found) checkAlike(one.losses, peer.losses);
  const least = (pick: (pair: (typeof found)[number]) => number) => Math.min(...found.map(pick));
  const oursMs = least(({ ours: { cpuSeconds } }) => (1000 * cpuSeconds) / (STEPS * REPEATS));
  const peerMs = least(({ peer: { cpuSeconds } }) => (1000 * cpuSeconds) / STEPS);
  const times = peerMs / oursMs;
  return {
    title: "A GPT number by number",
    columns: ["engine", "CPU a step, ms", "times as fast"],
    rows: [
      ["CPython, the same calculation", round(peerMs), 1],
      ["lockstep, engine scalar", round(oursMs), round(times)],
    ],
    goals: [
      {
        what: "scalar GPT step, CPython over ours",
        measured: round(times),
        unit: "x",
        must: { atLeast: MUST_TIMES },
        aim: AIM_TIMES,
      },
    ],
    notes: [
      `One layer, 4 heads, 16 wide, 16 tokens, ${data.tokenizer.vocabulary} characters of nine sonnets; forward, backward and AdamW of ${STEPS} steps. Both have the same losses within ${MOST_DIFFERENCE}; in Python sums and products are nodes of two operands, as in micrograd, and ours has nodes for sums of products: that is a part of the difference. CPU time, the smallest of ${PAIRS} runs in turn; ours ${REPEATS} times over, after as many that warm up.`,
    ],
    json: { scalar: [{ config: "scalar-gpt", cpuMs: oursMs, cpythonCpuMs: peerMs, times }] },
  };
};

function weightsOf(model: ScalarModel): Record<string, number[][]> {
  const own = model.tensors().filter(({ name }) => !name.startsWith("optimizer."));
  return Object.fromEntries(
    own.map(({ name, shape, read }) => {
      const [values, width] = [Array.from(read()), shape.at(-1) ?? 1];
      return [
        name,
        Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width)),
      ];
    }),
  );
}

function ours(create: () => ScalarModel, batches: readonly Batch[], repeats: number): Steps {
  let losses: number[] = [];
  let micros = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const model = create();
    const parameters = model
      .tensors()
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("optimizer."));
    const before = process.cpuUsage();
    losses = batches.map((batch, at) => model.train(batch, { step: at + 1, groups: [{ ...RATES, parameters }] }).loss);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
  }
  return { losses, cpuSeconds: micros / 1e6 };
}

async function python(task: object): Promise<Steps> {
  const child = spawn("python3", [PEER], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(task));
  const [answer, [code]] = await Promise.all([json(child.stdout), once(child, "close")]);
  if (code !== 0) throw new BenchError("no-peer", { python3: String(code) });
  return answer as Steps;
}

function checkAlike(one: readonly number[], other: readonly number[]): void {
  const worst = Math.max(...one.map((loss, at) => Math.abs(loss - (other[at] ?? Number.NaN))));
  if (worst <= MOST_DIFFERENCE) return;
  throw new BenchError("not-the-same", { "largest difference of losses": worst });
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
