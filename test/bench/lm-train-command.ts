import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunSummary } from "@lockstep/cloud-node/lab";
import { type CommandOptions, runLockstep } from "./measured-command.ts";

/** A run of `lockstep lm train` in a process of its own. */
export interface TrainedByCommand extends RunSummary {
  /** Of the whole process. */
  readonly cpuSeconds: number;
  readonly peakRssMB: number;
}

/** `lockstep lm train TEXT --out OUT …`, to its end. */
export async function trainByCommand(
  text: string,
  out: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<TrainedByCommand> {
  const { stdout, cpuSeconds, peakRssMB } = await runLockstep(
    ["lm", "train", text, "--out", out, ...args, "--json"],
    options,
  );
  return { ...(JSON.parse(stdout) as RunSummary), cpuSeconds, peakRssMB };
}

/** The newest checkpoint of a run. */
export function checkpointIn(out: string): string {
  return join(out, "checkpoint.safetensors");
}

/** Everything behind a checkpoint's header: parameters and what the optimizer keeps of them, and no times. */
export function tensorBytes(out: string): Buffer {
  const bytes = readFileSync(checkpointIn(out));
  const LENGTH_BYTES = 8;
  return bytes.subarray(LENGTH_BYTES + Number(bytes.readBigUInt64LE()));
}
