import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Backend, wasmRelaxedBackend, wasmStrictBackend } from "@lockstep/cloud-node";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import type { BenchGoal, BenchReport } from "./bench.ts";
import { gemmGflops, stepMs } from "./lm-ours.ts";

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

/** What lm-peer.py prints. */
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
const CONFIGS: readonly LmConfig[] = [
  { config: NANO, layers: 4, heads: 4, width: 128, T: 64, B: 12, vocabulary: VOCABULARY, steps: 30 },
  { config: SMALL[0], layers: 1, heads: 2, width: 16, T: 16, B: 1, vocabulary: VOCABULARY, steps: 300 },
  { config: SMALL[1], layers: 2, heads: 2, width: 64, T: 32, B: 8, vocabulary: VOCABULARY, steps: 100 },
  { config: LARGE, layers: 6, heads: 6, width: 384, T: 256, B: 4, vocabulary: VOCABULARY, steps: 3 },
];
const SIZES = [256, 512, 1024];
const BACKENDS = [wasmStrictBackend, wasmRelaxedBackend];
/** Ours and the peer in turn, so that both meet what else the machine does. */
const ROUNDS = 3;
const MISSING = "PyTorch: not measured, since python3-torch is missing.";

/** Training steps and products of matrices of the tensor engine, beside PyTorch on one thread, by CPU time. */
export async function benchLm(): Promise<BenchReport> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push({ ours: await measureOurs(), peer: await measurePeer() });
  const steps = CONFIGS.flatMap(({ config }, at) =>
    BACKENDS.map(({ name }, which) => ({
      config,
      backend: name,
      cpuMs: least(rounds.map(({ ours }) => ours[which]?.steps[at])),
      torchCpuMs: least(rounds.map(({ peer }) => peer?.steps[at])),
    })),
  );
  const gemm = SIZES.flatMap((n, at) =>
    BACKENDS.map(({ name }, which) => ({
      backend: name,
      n,
      gflops: most(rounds.map(({ ours }) => ours[which]?.gemm[at])),
      torchGflops: most(rounds.map(({ peer }) => peer?.gemm[at])),
    })),
  );
  const peer = rounds[0]?.peer;
  return {
    title: "Training steps (forward, backward, clipping, AdamW), CPU ms of one thread, fastest of all rounds",
    columns: ["layers x heads x width", "backend", "ours, ms", "PyTorch, ms", "PyTorch / ours"],
    rows: steps.map((row) => [
      row.config,
      row.backend,
      ...rounded(row.cpuMs, row.torchCpuMs, row.torchCpuMs / row.cpuMs),
    ]),
    more: [
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
    goals: peer === undefined ? [] : goalsOf(steps),
    notes: [
      `Both in turn, ${ROUNDS} rounds; the same model and tokens on both sides (test/bench/lm-peer.py), vocabulary ${VOCABULARY}.`,
      peer === undefined ? MISSING : `PyTorch ${peer.torch}; its products by ${peer.blas}.`,
    ],
    json: { gemm, steps },
  };
}

interface Measured {
  readonly gemm: readonly number[];
  readonly steps: readonly number[];
}

interface Round {
  readonly ours: readonly Measured[];
  readonly peer: Peer | undefined;
}

async function measureOurs(): Promise<Measured[]> {
  const found: Measured[] = [];
  for (const backend of BACKENDS) found.push(await measureBackend(backend));
  return found;
}

async function measureBackend(backend: Backend): Promise<Measured> {
  const [gemm, steps]: [number[], number[]] = [[], []];
  for (const n of SIZES) gemm.push(await gemmGflops(backend, n));
  for (const config of CONFIGS) steps.push(await stepMs(backend, config));
  return { gemm, steps };
}

async function measurePeer(): Promise<Peer | undefined> {
  const python = findProgram(osPackage("python3-torch"));
  if (python === undefined) return undefined;
  const program = fileURLToPath(new URL("lm-peer.py", import.meta.url));
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
  const plan = JSON.stringify({ gemm: SIZES, steps: CONFIGS });
  const { stdout } = await promisify(execFile)(python, [program, plan], { env });
  return JSON.parse(stdout) as Peer;
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
    goal(LARGE, "wasm-strict", 0.5, 0.8),
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
