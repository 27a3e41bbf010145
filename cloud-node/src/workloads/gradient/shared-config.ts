import type { RunConfig } from "../language-model/run-config.ts";
import { GradientError } from "./gradient-error.ts";

/** A run whose batches are cut for so many workers. @throws {GradientError} `bad-option` for one that cannot be */
export function sharedConfig(config: RunConfig, workers: number): RunConfig {
  const { engine, data } = config;
  if (engine !== "tensor") throw badOption(`engine: ${engine}`, "several workers train with engine=tensor");
  if (data.rows % workers !== 0) {
    const remedy = "take data.rows that is a multiple of the workers";
    throw badOption(`${data.rows} rows of a batch for ${workers} workers`, remedy);
  }
  return { ...config, data: { ...data, shards: workers } };
}

function badOption(problem: string, remedy: string): GradientError {
  return new GradientError("bad-option", problem, remedy);
}
