import type { Lookahead } from "@lockstep/edge-sdk/core";
import { type Command, Option } from "commander";
import { formatNumber, formatQuantity, formatRatio } from "../api/number-text.ts";
import { TelemetryError } from "../workloads/telemetry/telemetry-error.ts";
import { CommandError } from "./command-error.ts";
import { parseNames, parsePositive } from "./option-values.ts";
import { checkFiles } from "./partial-file.ts";
import { ProgressLine } from "./progress-line.ts";
import { recordingSize } from "./recording-size.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

interface EncodeOptions {
  readonly out?: string;
  readonly eps?: string;
  readonly rel?: string;
  readonly time?: string;
  readonly columns?: string[];
  readonly rate?: number;
  readonly meta?: string;
  readonly lookahead: Lookahead;
  readonly json?: boolean;
}

const HELP = `
BOUND is one number for all channels, or NAME=NUMBER for each, with *=NUMBER for
the rest:
  --eps 0.05
  --eps ax=0.01,ay=0.01,*=0.5
  --rel 1e-2                    (of each channel's max - min)

IN is a CSV file with a header line, or float32 (little-endian, rows of
channels) with a JSON file beside it:
  {"channels": ["ax", "ay"], "units": ["g", "g"], "rate_hz": 100}

With a lookahead, stretches of the recording become straight lines where that is
smaller: programme weighs all of them against each other, greedy takes the
longest, none leaves them out as a small device does.

Every value that decode gives back is within eps of the one in IN; encode
decodes what it wrote before it says so.

Example:
  $ lockstep encode drive.csv --eps 0.05 --out drive.lst`;

/** `lockstep encode`: a recording into a container, every value within its bound. */
export function addEncode(program: Command, surroundings: Surroundings): void {
  program
    .command("encode")
    .summary("compress recorded telemetry, every value within its bound")
    .description("Compress a recording with the device codec: every value stays within the error bound asked for.")
    .argument("<IN>", "CSV, or float32 with a JSON file beside it")
    .option("-o, --out <FILE>", "container to write")
    .option("--eps <BOUND>", "error bound in the channels' own units")
    .option("--rel <BOUND>", "error bound as a part of each channel's range")
    .option("--time <COLUMN>", "the CSV column that says when; none: there is none (default: looked for by name)")
    .option("--columns <NAMES>", "CSV columns to take, with commas between them (default: all)", parseNames)
    .option("--rate <HZ>", "samples per second, where no column says it", parsePositive)
    .option("--meta <FILE>", "description of a float32 file (default: IN with .json)")
    .addOption(
      new Option("--lookahead <EFFORT>", "how far to look ahead: more is smaller, and slower")
        .choices(["none", "greedy", "programme"])
        .default("programme"),
    )
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", HELP)
    .action((input: string, options: EncodeOptions) => runEncode(surroundings, input, options));
}

async function runEncode(surroundings: Surroundings, input: string, options: EncodeOptions): Promise<void> {
  if ((options.eps === undefined) === (options.rel === undefined)) {
    throw new CommandError("usage", "one of --eps and --rel says how exact values must stay", "give one of them");
  }
  const { out } = options;
  if (out === undefined) throw new CommandError("usage", "no file to write", "give --out FILE");
  await checkFiles(input, out);
  const { encodeFile } = await import("../workloads/telemetry/encode-file.ts");
  const { shippedCodec } = await import("./device-module.ts");
  const { parseEpsSpec } = await import("../workloads/telemetry/eps-spec.ts");
  const progress = new ProgressLine(surroundings.stderr, surroundings.clock, "encode");
  const startedMs = surroundings.clock.nowMs();
  try {
    const summary = await encodeFile({
      input,
      output: out,
      eps:
        options.eps === undefined ? parseEpsSpec(options.rel ?? "", "relative") : parseEpsSpec(options.eps, "absolute"),
      time: options.time === "none" ? null : options.time,
      columns: options.columns,
      rateHz: options.rate,
      metaFile: options.meta,
      codec: shippedCodec(),
      lookahead: options.lookahead,
      progress,
      signal: surroundings.interrupt,
    });
    progress.clear();
    const seconds = (surroundings.clock.nowMs() - startedMs) / 1000;
    const line = [
      `${out}: ${formatQuantity(summary.outputBytes, "B", "up")}, ${sizeBesideFloat32(summary.ratio)}`,
      `${formatNumber(summary.bitsPerSample, "up")} bits per sample, largest error ${summary.maxErrorOverEps.toFixed(3)} eps`,
      `${recordingSize(summary.samples, summary.channels, summary.timeEps !== null)} in ${seconds.toFixed(1)} s`,
    ];
    await writeResult(surroundings, options.json, { ...summary, seconds }, line.join("; "));
  } catch (error) {
    if (error instanceof TelemetryError && error.code === "bad-eps") {
      throw new CommandError("usage", error.message, "", { cause: error });
    }
    if (!surroundings.interrupt.aborted) throw error;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "nothing was written", { cause: error });
  } finally {
    progress.clear();
  }
}

/** "24.4× smaller than float32"; a loss is rounded up. */
function sizeBesideFloat32(ratio: number): string {
  return ratio >= 1
    ? `${formatRatio(ratio)} smaller than float32`
    : `${formatNumber(1 / ratio, "up")}× larger than float32`;
}
