import type { Lookahead } from "@lockstep/edge-sdk/core";
import { type Command, Option } from "commander";
import { formatNumber, formatQuantity, formatRatio } from "../api/number-text.ts";
import { CommandError } from "./command-error.ts";
import { checkFiles } from "./partial-file.ts";
import { ProgressLine } from "./progress-line.ts";
import {
  aboutBounds,
  addRecordingOptions,
  RECORDING_HELP,
  type RecordingOptions,
  readRecordingOptions,
} from "./recording-options.ts";
import { recordingSize } from "./recording-size.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

interface EncodeOptions extends RecordingOptions {
  readonly out?: string;
  readonly lookahead: Lookahead;
  readonly json?: boolean;
}

const HELP = `
${RECORDING_HELP}

With a lookahead, stretches of the recording become straight lines where that is
smaller: programme weighs all of them against each other, greedy takes the
longest, none leaves them out as a small device does.

Every value that decode gives back is within eps of the one in IN; encode
decodes what it wrote before it says so.

Example:
  $ lockstep encode drive.csv --eps 0.05 --out drive.lst`;

/** `lockstep encode`: a recording into a container, every value within its bound. */
export function addEncode(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("encode")
    .summary("compress recorded telemetry, every value within its bound")
    .description("Compress a recording with the device codec: every value stays within the error bound asked for.")
    .option("-o, --out <FILE>", "container to write");
  addRecordingOptions(command)
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
  const recording = readRecordingOptions(input, options);
  const { out } = options;
  if (out === undefined) throw new CommandError("usage", "no file to write", "give --out FILE");
  await checkFiles(input, out);
  const { encodeFile } = await import("../workloads/telemetry/encode-file.ts");
  const { shippedCodec } = await import("./device-module.ts");
  const progress = new ProgressLine(surroundings.stderr, surroundings.clock, "encode");
  const startedMs = surroundings.clock.nowMs();
  try {
    const summary = await encodeFile({
      ...recording,
      output: out,
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
    if (!surroundings.interrupt.aborted) throw aboutBounds(error);
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
