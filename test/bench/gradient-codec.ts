import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { constants, zstdCompressSync } from "node:zlib";
import {
  type CoderMode,
  checkRunConfig,
  createMethod,
  GradientCoder,
  GradientCore,
  type GradientMethod,
  type GradientTensor,
  layoutCount,
  type MethodState,
  PlacedCoder,
  RECIPES,
  rehearse,
} from "@lockstep/cloud-node/lab";
import type { BenchGoal, BenchOptions, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { codeEntropy } from "./gradient-entropy.ts";

/** Steps of a training before its gradients are coded: error feedback and units have settled. */
const STEPS = 60;
const REPEATS = 15;
const SWITCHES = 1_000_000;
/** Of each step's values, so many are sent. */
const KEPT_SHARE = 0.03;
const SQUARE_KEEP = 0.99;
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const MODES: readonly (readonly [string, CoderMode])[] = [
  ["ternary, 1 % sent", { kind: "top-k", share: 0.01, levels: 1, of: "message" }],
  ["ternary, 3 % sent", { kind: "top-k", share: 0.03, levels: 1, of: "message" }],
  ["ternary, 10 % sent", { kind: "top-k", share: 0.1, levels: 1, of: "message" }],
  ["7 levels, 10 % sent", { kind: "top-k", share: 0.1, levels: 7, of: "message" }],
  ["stochastic, 2 bits", { kind: "stochastic", bits: 2 }],
  ["stochastic, 4 bits", { kind: "stochastic", bits: 4 }],
  ["stochastic, 8 bits", { kind: "stochastic", bits: 8 }],
];
/** What the goals are about: what methods send. */
const GOAL_ROW = "ternary, 3 % sent";

/** What one worker would code: its gradients with what it has not sent before, and everybody's units. */
interface Recorded {
  readonly layout: readonly GradientTensor[];
  readonly values: Float32Array;
  readonly weights: Float32Array;
}

/** Bytes and time of the gradient coder on the gradients of a training, beside the entropy of its codes and zstd. */
export async function benchGradientCodec({ dataFolder }: BenchOptions): Promise<BenchReport> {
  if (dataFolder === undefined) {
    throw new BenchError("no-peer", { looked: "a text", install: "--data DIR, with input.txt" });
  }
  const recorded = await record(readFileSync(join(dataFolder, "input.txt"), "utf8"));
  const rows = MODES.map(([name, mode]) => ({ name, ...measure(recorded, mode) }));
  const floats = new Uint8Array(recorded.values.buffer);
  const zstdMbps = floats.length / 1e6 / seconds(() => zstdCompressSync(floats, ZSTD));
  const zstdBytes = zstdCompressSync(floats, ZSTD).length;
  const goalRow = rows.find(({ name }) => name === GOAL_ROW);
  const { ns: switchNs, heapBytes } = switches(recorded.layout);
  const goals: BenchGoal[] = [
    {
      what: `compression, one core, ${GOAL_ROW}`,
      measured: goalRow?.encodeMbps ?? 0,
      unit: "MB/s",
      must: { atLeast: 200 },
      aim: 600,
    },
    {
      what: "compression, one core, slowest of all",
      measured: Math.min(...rows.map(({ encodeMbps }) => encodeMbps)),
      unit: "MB/s",
      must: { atLeast: 200 },
    },
    {
      ...{ what: "compression speed over that of zstd -1", measured: (goalRow?.encodeMbps ?? 0) / zstdMbps, unit: "x" },
      aimedAt: { atLeast: 1 },
    },
    {
      what: "bytes over the order-0 entropy",
      measured: Math.max(...rows.map((row) => row.bytes / row.orderZero)),
      unit: "x",
      must: { atMost: 1.03 },
      aim: 1,
    },
    { what: "mode switch, mean", measured: switchNs / 1000, unit: "µs", must: { below: 1 } },
    { what: "heap that a mode switch takes, mean", measured: heapBytes, unit: "B", must: { below: 0.1 } },
  ];
  return {
    title: `Gradient coder: ${recorded.values.length} values a message`,
    columns: [
      "codes",
      "sent %",
      "bytes",
      "ratio",
      "of order 0",
      "of order 0 by tensor",
      "of zstd -1",
      "encode MB/s",
      "decode MB/s",
    ],
    rows: rows.map((row) => [
      row.name,
      (100 * row.share).toFixed(1),
      row.bytes,
      (floats.length / row.bytes).toFixed(1),
      (row.bytes / row.orderZero).toFixed(3),
      (row.bytes / row.orderZeroByTensor).toFixed(3),
      (row.bytes / row.zstdBytes).toFixed(3),
      row.encodeMbps.toFixed(0),
      row.decodeMbps.toFixed(0),
    ]),
    goals,
    notes: [
      `Gradients of step ${STEPS} of nanoGPT's CPU recipe, worker 0 of 2, with what was not sent before (3 % of each step were).`,
      "Bytes are whole messages: head, steps, codes. Order 0: the entropy of the codes' own frequencies, without a table's cost, over all and in each tensor by itself: what a static table for each could reach. zstd -1 has the codes as bytes.",
      `Speeds are of float32 in (encode) and out (decode), by the CPU time of the fastest of ${REPEATS}, as a method codes a step: in the kernel's memory, with thresholds of the step before; load of the machine ${(loadavg()[0] ?? 0).toFixed(1)}. zstd -1 on the float32 themselves: ${zstdMbps.toFixed(0)} MB/s, to ${((100 * zstdBytes) / floats.length).toFixed(0)} % of their bytes.`,
    ],
  };
}

/** Train, and keep what worker 0 would code. */
async function record(text: string): Promise<Recorded> {
  const config = checkRunConfig({ ...RECIPES["nanogpt-cpu"], steps: STEPS, evalEvery: STEPS, evalBatches: 1 });
  const recorders: Recorder[] = [];
  await rehearse({
    ...{ config, text, workers: 2, lastEvalBatches: 1, cpuSeconds: () => 0 },
    createMethod: (layout, options) => {
      const recorder = new Recorder(layout, createMethod("none", layout, options));
      recorders.push(recorder);
      return recorder;
    },
  });
  const [first] = recorders;
  if (first === undefined) throw new BenchError("no-peer", { looked: "a gradient", install: "a training" });
  return first;
}

/** Sends all of a gradient, and keeps what would have to be coded with error feedback and everybody's units. */
class Recorder implements GradientMethod, Recorded {
  readonly localSteps = 1;
  readonly beta1 = undefined;
  readonly unsentStays = undefined;
  readonly layout: readonly GradientTensor[];
  readonly values: Float32Array;
  readonly weights: Float32Array;
  readonly #squares: Float32Array;
  readonly #sent: Float32Array;
  readonly #coder: GradientCoder;
  readonly #method: GradientMethod;

  constructor(layout: readonly GradientTensor[], method: GradientMethod) {
    const count = layoutCount(layout);
    this.layout = layout;
    this.values = new Float32Array(count);
    this.weights = new Float32Array(count);
    this.#squares = new Float32Array(count);
    this.#sent = new Float32Array(count);
    this.#coder = new GradientCoder(layout, { kind: "top-k", share: KEPT_SHARE, levels: 1, of: "message" });
    this.#method = method;
  }

  contribution(step: number, gradient: Float32Array): Uint8Array {
    const { values, weights } = this;
    // What was sent in the step before is gone from what is kept.
    for (const [i, x] of gradient.entries()) values[i] = (values[i] ?? 0) - (this.#sent[i] ?? 0) + x;
    const unit = 1 - SQUARE_KEEP ** step;
    for (const [i, square] of this.#squares.entries()) weights[i] = step === 0 ? 1 : Math.sqrt(square / unit) + 1e-8;
    this.#coder.encode(values, { weights }, step, this.#sent);
    return this.#method.contribution(step, gradient);
  }

  average(step: number, contributions: readonly (Uint8Array | undefined)[], out: Float32Array): void {
    this.#method.average(step, contributions, out);
    const squares = this.#squares;
    for (const [i, x] of out.entries()) squares[i] = SQUARE_KEEP * (squares[i] ?? 0) + (1 - SQUARE_KEEP) * x * x;
  }

  states(): readonly MethodState[] {
    return this.#method.states();
  }
}

/** What a method does in a step: values and units lie in the kernel's memory, and thresholds are those of the step before. */
function measure({ layout, values, weights }: Recorded, mode: CoderMode) {
  const core = new GradientCore();
  const coder = new PlacedCoder(core, layout, mode, 1);
  const [valuesAt, weightsAt, outAt] = [core.zeros(coder.count), core.zeros(coder.count), core.zeros(coder.count)];
  core.write(valuesAt, values);
  core.write(weightsAt, weights);
  // Units change with every step: to tell what they were is part of its message.
  const units = () => coder.unitsAt(weightsAt);
  coder.encode(valuesAt, units(), {}, STEPS);
  if (mode.kind === "top-k") coder.mode = { kind: "threshold", levels: mode.levels };
  const choice = { steps: coder.sentSteps };
  const encode = () => coder.encode(valuesAt, units(), choice, STEPS);
  const message = encode().slice();
  coder.addSent(units(), 1, outAt);
  const sent = core.floats(outAt, coder.count).slice();
  const megabytes = values.byteLength / 1e6;
  const { codes, orderZero, orderZeroByTensor } = codeEntropy(layout, sent, weights);
  return {
    bytes: message.length,
    share: sent.filter((x) => x !== 0).length / sent.length,
    ...{ orderZero, orderZeroByTensor },
    zstdBytes: zstdCompressSync(codes, ZSTD).length,
    encodeMbps: megabytes / seconds(encode),
    decodeMbps: megabytes / seconds(() => coder.decode(message, units(), STEPS, outAt, 1)),
  };
}

/** CPU time of the fastest of REPEATS. */
function seconds(act: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

/** Time of a mode switch and what it allocates, means over SWITCHES. */
function switches(layout: readonly GradientTensor[]): { readonly ns: number; readonly heapBytes: number } {
  const modes = MODES.map(([, mode]) => mode);
  const coder = new GradientCoder(layout, { kind: "error-bounded" });
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) coder.mode = modes[i % modes.length] ?? coder.mode;
  };
  // What is compiled on the way counts with nothing that is measured.
  rounds(SWITCHES);
  const before = process.memoryUsage().heapUsed;
  const start = process.hrtime.bigint();
  rounds(SWITCHES);
  const ns = Number(process.hrtime.bigint() - start) / SWITCHES;
  return { ns, heapBytes: Math.max(0, process.memoryUsage().heapUsed - before) / SWITCHES };
}
