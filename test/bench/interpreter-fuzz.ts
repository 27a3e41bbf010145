import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@lockstep/sim";
import { compareCases, type FuzzTally, fuzzCase } from "../conformance/interpreter-comparison.ts";
import { buildHost } from "../conformance/interpreter-host.ts";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import type { BenchOptions, BenchReport } from "./bench.ts";

/** What has been done so far, kept after each batch: a run that was stopped goes on there. */
interface FuzzState extends FuzzTally {
  readonly seed: number;
  readonly done: number;
}

const CASES = 100_000;
/** Of all runs together. */
const CASES_WANTED = 1_000_000;
/** Of one process of the interpreter: a few seconds. */
const BATCH = 1000;
const LANES = 2;
const SEED = 1;
const STATE_FILE = fileURLToPath(new URL("../../.lockstep/interpreter-fuzz.json", import.meta.url));

/** The interpreter beside Node's WebAssembly, on as many generated and spoilt modules as are asked for. */
export async function benchInterpreterFuzz({ cases = CASES }: BenchOptions): Promise<BenchReport> {
  const host = buildHost();
  const sources = { modules: [readFileSync(DEVICE_WASM)] };
  const random = seededRandom(SEED);
  const batchOf = (from: number, count: number) => () =>
    Array.from({ length: count }, (_, i) => fuzzCase(random.fork(`case ${from + i}`), sources));
  let state = readState();
  while (state.done < cases) {
    const from = state.done;
    const counts = Array.from({ length: LANES }, (_, lane) => Math.min(BATCH, cases - from - lane * BATCH));
    const batches = counts
      .filter((count) => count > 0)
      .map((count, lane) => ({ count, batch: batchOf(from + lane * BATCH, count) }));
    // While one interpreter runs, the cases of the next are made and those of the one before are compared.
    const tallies = await Promise.all(
      batches.map(async ({ count, batch }) => ({ count, tally: await compareCases(host, batch()) })),
    );
    for (const { count, tally } of tallies) state = addBatch(state, tally, count);
    keepState(state);
    process.stderr.write(`interpreter-fuzz: ${state.done} of ${cases}, ${state.differences.length} differences\n`);
  }
  return report(state);
}

function readState(): FuzzState {
  const nothing = { seed: SEED, done: 0, run: 0, calls: 0, traps: 0, stopped: 0, refused: {}, differences: [] };
  return existsSync(STATE_FILE) ? (JSON.parse(readFileSync(STATE_FILE, "utf8")) as FuzzState) : nothing;
}

function keepState(state: FuzzState): void {
  writeFileSync(`${STATE_FILE}.new`, JSON.stringify(state));
  renameSync(`${STATE_FILE}.new`, STATE_FILE);
}

function addBatch(state: FuzzState, batch: FuzzTally, count: number): FuzzState {
  const refused = { ...state.refused };
  for (const [name, times] of Object.entries(batch.refused)) refused[name] = (refused[name] ?? 0) + times;
  return {
    seed: state.seed,
    done: state.done + count,
    run: state.run + batch.run,
    calls: state.calls + batch.calls,
    traps: state.traps + batch.traps,
    stopped: state.stopped + batch.stopped,
    refused,
    differences: [...state.differences, ...batch.differences.map((line) => `after ${state.done}, ${line}`)],
  };
}

function report(state: FuzzState): BenchReport {
  const refusals = Object.entries(state.refused).sort(([, a], [, b]) => b - a);
  return {
    title: "The interpreter beside Node's WebAssembly",
    goals: [
      { what: "cases that differ", measured: state.differences.length, unit: "", must: { atMost: 0 } },
      { what: "cases", measured: state.done, unit: "", aimedAt: { atLeast: CASES_WANTED } },
    ],
    columns: ["what", "count"],
    rows: [
      ["cases", state.done],
      ["of them taken and run", state.run],
      ["calls compared", state.calls],
      ["of them traps of both", state.traps],
      ["stopped for gas or stack", state.stopped],
      ...refusals.map(([name, times]) => [`refused: ${name}`, times]),
    ],
    notes: [
      `Half of the cases are generated modules, half are spoilt ones, device.wasm among them; seed ${state.seed}.`,
      "`npm run bench -- interpreter-fuzz --cases 1000000 --write`; a run that is stopped goes on where it was: .lockstep/interpreter-fuzz.json, to be removed to begin anew.",
      "Of the first 178,000 cases one was said to differ, case 155,622: a spoilt module exported a global under the name of another, and the two were compared. It is compared by its place since, and agrees.",
      ...state.differences,
    ],
    json: state,
  };
}
