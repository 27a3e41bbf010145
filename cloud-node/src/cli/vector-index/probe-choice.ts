import type { IndexFacts } from "../../workloads/vector-index/index-facts.ts";
import { CommandError } from "../command-error.ts";

/** Of the lists, and at least so many, where nothing else is asked for. */
const DEFAULT_SHARE = 1 / 16;
const LEAST_PROBES = 8;

/** Lists that a query visits. @throws {CommandError} `usage` for more than there are */
export function probesOf({ m }: IndexFacts, asked: number | undefined): number {
  if (asked === undefined) return Math.min(m, Math.max(LEAST_PROBES, Math.ceil(m * DEFAULT_SHARE)));
  if (asked <= m) return asked;
  throw new CommandError("usage", `--probes ${asked} is more than the ${m} lists there are`, `say ${m} at most`);
}

/** Candidates that are ranked again; 0 for none. @throws {CommandError} `usage` where the index has nothing finer */
export function rerankOf({ rerank }: IndexFacts, asked: number | undefined, k: number): number {
  if (asked === undefined) return 0;
  if (rerank === undefined) {
    throw new CommandError("usage", "the index has no finer copies to rank by", "build it with --rerank i8");
  }
  if (asked >= k) return asked;
  throw new CommandError("usage", `--rerank ${asked} is less than the ${k} that are wanted`, `say ${k} at least`);
}
