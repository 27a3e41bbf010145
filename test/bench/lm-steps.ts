import { type Backend, ortBackend, wasmBackend, wasmRelaxedBackend, wasmStrictBackend } from "@lockstep/cloud-node";
import { hasOnnxRuntime, ONNX_RUNTIME_LINE } from "../../scripts/onnxruntime.js";
import type { BenchGoal } from "./bench.ts";
import type { PartFindings } from "./bench-part.ts";
import { gemmGflops, stepMs } from "./lm-ours.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";
import { runPython } from "./python-peer.ts";

/** A model, a batch, and how many steps are timed in a round. */
export interface LmConfig {
  readonly config: string;
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly T: number;
  readonly B: number;
  readonly vocabulary: number;
  readonly steps: number;
}

/** What lm_torch_steps.py prints. */
interface Peer {
  readonly torch: string;
  readonly blas: string;
  readonly gemm: readonly number[];
  readonly steps: readonly number[];
}

const VOCABULARY = 65;
const NANO = "4 x 4 x 128, T 64, B 12";
const LARGE = "6 x 6 x 384, T 256, B 4";
const SMALL = ["1 x 2 x 16, T 16, B 1", "2 x 2 x 64, T 32, B 8"] as const;
/** nanoGPT's run for a laptop. */
export const NANO_CONFIG: LmConfig = {
  ...{ config: NANO, layers: 4, heads: 4, width: 128, T: 64, B: 12 },
  ...{ vocabulary: VOCABULARY, steps: 30 },
};
const CONFIGS: readonly LmConfig[] = [
  NANO_CONFIG,
  { config: SMALL[0], layers: 1, heads: 2, width: 16, T: 16, B: 1, vocabulary: VOCABULARY, steps: 300 },
  { config: SMALL[1], layers: 2, heads: 2, width: 64, T: 32, B: 8, vocabulary: VOCABULARY, steps: 100 },
  { config: LARGE, layers: 6, heads: 6, width: 384, T: 256, B: 4, vocabulary: VOCABULARY, steps: 3 },
];
const SIZES = [256, 512, 1024];
/** As the page names them; vectors have 256 bits where the host can and nothing is said. */
const BACKENDS: readonly { readonly name: string; readonly backend: Backend }[] = [
  { name: "wasm-strict", backend: wasmStrictBackend },
  { name: "wasm-relaxed", backend: wasmRelaxedBackend },
  { name: "wasm-strict, 128-bit vectors", backend: wasmBackend("wasm-strict", 128) },
  { name: "wasm-relaxed, 128-bit vectors", backend: wasmBackend("wasm-relaxed", 128) },
  ...(hasOnnxRuntime() ? [{ name: "ort", backend: ortBackend }] : []),
];
const WITHOUT_ORT = hasOnnxRuntime()
  ? ""
  : ` ort: not measured, since onnxruntime-node is missing (${ONNX_RUNTIME_LINE}).`;
/** Ours and the peer in turn, so that both meet what else the machine does. */
const ROUNDS = 3;
const MISSING = "PyTorch: not measured, since python3-torch is missing.";

/** Training steps beside PyTorch on one thread. */
export const stepsPart: LmPart = { name: "steps", run: benchSteps };
/** Products of matrices, likewise. */
export const gemmPart: LmPart = { name: "gemm", run: benchGemm };

async function benchSteps({ isQuick, say }: LmPlace): Promise<PartFindings> {
  const rounds = await measureRounds({ gemm: [], steps: isQuick ? CONFIGS.map(quick) : CONFIGS }, isQuick, say);
  const steps = CONFIGS.flatMap(({ config }, at) =>
    BACKENDS.map(({ name }, which) => ({
      config,
      backend: name,
      cpuMs: least(rounds.map(({ ours }) => ours[which]?.steps[at])),
      torchCpuMs: least(rounds.map(({ peer }) => peer?.steps[at])),
    })),
  );
  return {
    tables: [
      {
        title: "Training steps (forward, backward, clipping, AdamW), CPU ms of one thread, fastest of all rounds",
        columns: ["layers x heads x width", "backend", "ours, ms", "PyTorch, ms", "PyTorch / ours"],
        rows: steps.map((row) => [
          row.config,
          row.backend,
          ...rounded(row.cpuMs, row.torchCpuMs, row.torchCpuMs / row.cpuMs),
        ]),
      },
    ],
    goals: goalsOf(steps),
    notes: [
      `Steps: the same model and tokens on both sides (test/bench/peers/lm_torch_steps.py), in turn, ${rounds.length} rounds; vocabulary ${VOCABULARY}. ${originOf(rounds)}${WITHOUT_ORT}`,
    ],
    json: { steps },
  };
}

async function benchGemm({ isQuick, say }: LmPlace): Promise<PartFindings> {
  const rounds = await measureRounds({ gemm: SIZES, steps: [] }, isQuick, say);
  const gemm = SIZES.flatMap((n, at) =>
    BACKENDS.map(({ name }, which) => ({
      backend: name,
      n,
      gflops: most(rounds.map(({ ours }) => ours[which]?.gemm[at])),
      torchGflops: most(rounds.map(({ peer }) => peer?.gemm[at])),
    })),
  );
  return {
    tables: [
      {
        title: "Products of two matrices (n, n), GFLOP/s of CPU time",
        columns: ["n", "backend", "ours", "PyTorch", "ours / PyTorch"],
        rows: gemm.map((row) => [
          row.n,
          row.backend,
          ...rounded(row.gflops, row.torchGflops, row.gflops / row.torchGflops),
        ]),
      },
    ],
    goals: [],
    notes: [`Products: one thread, in turn, ${rounds.length} rounds. ${originOf(rounds)}`],
    json: { gemm },
  };
}

function originOf(rounds: readonly Round[]): string {
  const peer = rounds[0]?.peer;
  return peer === undefined ? MISSING : `PyTorch ${peer.torch}; its products by ${peer.blas}.`;
}

interface Plan {
  readonly gemm: readonly number[];
  readonly steps: readonly LmConfig[];
}

async function measureRounds(plan: Plan, isQuick: boolean, say: (line: string) => void): Promise<Round[]> {
  const rounds: Round[] = [];
  const count = isQuick ? 1 : ROUNDS;
  for (let round = 1; round <= count; round++) {
    rounds.push({
      ours: await measureOurs(plan),
      peer: await runPython<Peer>("python3-torch", "lm_torch_steps.py", plan),
    });
    say(`round ${round} of ${count}`);
  }
  return rounds;
}

/** As few steps as show that it works. */
function quick(config: LmConfig): LmConfig {
  return { ...config, steps: 1 };
}

interface Measured {
  readonly gemm: readonly number[];
  readonly steps: readonly number[];
}

interface Round {
  readonly ours: readonly Measured[];
  readonly peer: Peer | undefined;
}

async function measureOurs(plan: Plan): Promise<Measured[]> {
  const found: Measured[] = [];
  for (const { backend } of BACKENDS) {
    const [gemm, steps]: [number[], number[]] = [[], []];
    for (const n of plan.gemm) gemm.push(await gemmGflops(backend, n));
    for (const config of plan.steps) steps.push(await stepMs(backend, config));
    found.push({ gemm, steps });
  }
  return found;
}

interface StepRow {
  readonly config: string;
  readonly backend: string;
  readonly cpuMs: number;
  readonly torchCpuMs: number;
}

function goalsOf(steps: readonly StepRow[]): BenchGoal[] {
  const ratio = (config: string, backend: string) => {
    const row = steps.find((step) => step.config === config && step.backend === backend);
    return row === undefined ? Number.NaN : row.torchCpuMs / row.cpuMs;
  };
  const goal = (config: string, backend: string, atLeast: number, aim: number): BenchGoal => {
    const what = `${config}, ${backend}, PyTorch's time over ours`;
    return { what, measured: ratio(config, backend), unit: "x", must: { atLeast }, aim };
  };
  return [
    goal(NANO, "wasm-strict", 0.6, 1),
    goal(NANO, "wasm-relaxed", 0.8, 1.5),
    goal(NANO, "ort", 1.1, 1.5),
    goal(LARGE, "wasm-strict", 0.5, 0.8),
    goal(LARGE, "ort", 0.95, 1.2),
    ...SMALL.map((config) => goal(config, "wasm-strict", 2, 5)),
  ];
}

function least(numbers: readonly (number | undefined)[]): number {
  return Math.min(...numbers.map((number) => number ?? Number.NaN));
}

function most(numbers: readonly (number | undefined)[]): number {
  return Math.max(...numbers.map((number) => number ?? Number.NaN));
}

function rounded(...numbers: readonly number[]): string[] {
  return numbers.map((number) => (Number.isNaN(number) ? "" : number.toPrecision(3)));
}
