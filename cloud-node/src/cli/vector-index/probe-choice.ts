import { defaultProbes } from "../../workloads/vector-index/default-probes.ts";
import type { IndexFacts } from "../../workloads/vector-index/index-facts.ts";
import { CommandError } from "../command-error.ts";

/** Lists that a query visits. @throws {CommandError} `usage` for more than there are */
export function probesOf({ m }: IndexFacts, asked: number | undefined): number {
  if (asked === undefined) return defaultProbes(m);
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
