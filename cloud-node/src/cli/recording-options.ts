import type { Command } from "commander";
import { type EpsSpec, parseEpsSpec } from "../workloads/telemetry/eps-spec.ts";
import type { RecordingFile } from "../workloads/telemetry/open-recording.ts";
import { TelemetryError } from "../workloads/telemetry/telemetry-error.ts";
import { CommandError } from "./command-error.ts";
import { parseNames, parsePositive } from "./option-values.ts";

/** What commands on a recording are told about it. */
export interface RecordingOptions {
  readonly eps?: string;
  readonly rel?: string;
  readonly time?: string;
  readonly columns?: string[];
  readonly rate?: number;
  readonly meta?: string;
}

/** What the help of such a command says of bounds and files. */
export const RECORDING_HELP = `BOUND is one number for all channels, or NAME=NUMBER for each, with *=NUMBER for
the rest:
  --eps 0.05
  --eps ax=0.01,ay=0.01,*=0.5
  --rel 1e-2                    (of each channel's max - min)

IN is a CSV file with a header line, or float32 (little-endian, rows of
channels) with a JSON file beside it:
  {"channels": ["ax", "ay"], "units": ["g", "g"], "rate_hz": 100}`;

/** The argument IN, and the options that say how to read it and how exactly its values count. */
export function addRecordingOptions(command: Command): Command {
  return command
    .argument("<IN>", "CSV, or float32 with a JSON file beside it")
    .option("--eps <BOUND>", "error bound in the channels' own units")
    .option("--rel <BOUND>", "error bound as a part of each channel's range")
    .option("--time <COLUMN>", "the CSV column that says when; none: there is none (default: looked for by name)")
    .option("--columns <NAMES>", "CSV columns to take, with commas between them (default: all)", parseNames)
    .option("--rate <HZ>", "samples per second, where no column says it", parsePositive)
    .option("--meta <FILE>", "description of a float32 file (default: IN with .json)");
}

/** The recording that options describe, and its bounds. @throws {CommandError} `usage` */
export function readRecordingOptions(
  input: string,
  { eps, rel, time, columns, rate, meta }: RecordingOptions,
): RecordingFile & { readonly eps: EpsSpec } {
  if ((eps === undefined) === (rel === undefined)) {
    throw new CommandError("usage", "one of --eps and --rel says how exact values must stay", "give one of them");
  }
  try {
    const spec = eps === undefined ? parseEpsSpec(rel ?? "", "relative") : parseEpsSpec(eps, "absolute");
    return { input, eps: spec, time: time === "none" ? null : time, columns, rateHz: rate, metaFile: meta };
  } catch (error) {
    throw aboutBounds(error);
  }
}

/** A bound that no channel can have was typed; any other error is as it was. */
export function aboutBounds(error: unknown): unknown {
  if (!(error instanceof TelemetryError) || error.code !== "bad-eps") return error;
  return new CommandError("usage", error.message, "", { cause: error });
}
