import type { Command } from "commander";
import type { Explanation } from "../workloads/telemetry/explain-file.ts";
import { CommandError } from "./command-error.ts";
import { explanationTable } from "./explanation-table.ts";
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

interface ExplainOptions extends RecordingOptions {
  readonly json?: boolean;
}

const HELP = `
Values are sorted into bins as wide as the bound allows, around what was
foreseen; columns are bits per sample of each channel:
  signal    entropy of the bins where nothing is foreseen
  hold      ... where the value before is expected to stay
  line      ... where the last two values are expected to go on
  residual  ... around what the codec expects
  coded     what the codec takes for the channel alone, a sample at a time
  miss      root mean square of value - expected by the codec, in bins

Entropies are those of bins by their frequency (order 0): estimates, too small
where bins are nearly as many as samples. What is coded is a result, and may be
less, since the codec also knows when which bin comes.

${RECORDING_HELP}

Example:
  $ lockstep explain drive.csv --eps 0.05`;

/** `lockstep explain`: why a recording takes the bits that it takes. */
export function addExplain(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("explain")
    .summary("where the bits of a recording go: what each forecast leaves to be said")
    .description(
      "Measure how well each channel of a recording is foreseen, and the bits that this leaves to be coded.",
    );
  addRecordingOptions(command)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", HELP)
    .action((input: string, options: ExplainOptions) => runExplain(surroundings, input, options));
}

async function runExplain(surroundings: Surroundings, input: string, options: ExplainOptions): Promise<void> {
  const recording = readRecordingOptions(input, options);
  await checkFiles(input, undefined);
  const { explainFile } = await import("../workloads/telemetry/explain-file.ts");
  const { shippedCodec } = await import("./device-module.ts");
  const progress = new ProgressLine(surroundings.stderr, surroundings.clock, "explain");
  try {
    const signal = surroundings.interrupt;
    const explanation = await explainFile({ ...recording, codec: shippedCodec(), progress, signal });
    progress.clear();
    await writeResult(surroundings, options.json, explanation, explanationText(explanation));
  } catch (error) {
    if (!surroundings.interrupt.aborted) throw aboutBounds(error);
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "", { cause: error });
  } finally {
    progress.clear();
  }
}

function explanationText(explanation: Explanation): string {
  const { input, samples, channels } = explanation;
  return [
    `${input}: ${recordingSize(samples, channels.length, false)}; bits per sample`,
    ...explanationTable(explanation),
  ].join("\n");
}
