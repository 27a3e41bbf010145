import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import type { BenchSet } from "./vector-index-sets.ts";

/** Recall of one product quantiser, trained from one seed. */
export interface PqRun {
  readonly kind: "PQ" | "residual IVF-PQ";
  /** Of a code. */
  readonly bytes: number;
  readonly seed: number;
  readonly recall: number;
  readonly seconds: number;
}

/** An inverted file of FAISS at one number of probes. */
export interface FaissRun {
  readonly name: string;
  readonly probes: number;
  readonly bytesPerVector: number;
  readonly indexBytes: number;
  readonly recallAt10: number;
  readonly qps: number;
  readonly buildSeconds: number;
  readonly peakRssMB: number;
}

export interface FaissFindings {
  /** Of the library: whether it was compiled for AVX2. */
  readonly options: string;
  readonly version: string;
  /** How far its exact search agrees with the truth that all are held against. */
  readonly flatRecall: number;
  readonly pq: readonly PqRun[];
  readonly speed: readonly FaissRun[];
}

const PROGRAM = fileURLToPath(new URL("vector-index-faiss.py", import.meta.url));
const SEEDS = [1, 2, 3, 4, 5];
const MOST_OUTPUT = 1 << 24;

/** What FAISS makes of a set; undefined where it is not installed. @param pq  bytes of codes */
export async function runFaiss(set: BenchSet, pq: readonly number[]): Promise<FaissFindings | undefined> {
  const python = findProgram(osPackage("python3-faiss"));
  if (python === undefined) return undefined;
  const plan = JSON.stringify({ pq, seeds: SEEDS, speed: set.hasSpeed });
  const args = [PROGRAM, set.base, set.queryFile, set.truthFile, String(set.d), plan];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
  const { stdout } = await promisify(execFile)(python, args, { env, maxBuffer: MOST_OUTPUT });
  return JSON.parse(stdout) as FaissFindings;
}
