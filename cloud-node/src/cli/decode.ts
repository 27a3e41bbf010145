import { type Command, Option } from "commander";
import { SINK_FORMATS, type SinkFormat } from "../workloads/telemetry/row-sink.ts";
import { TelemetryError } from "../workloads/telemetry/telemetry-error.ts";
import { CommandError } from "./command-error.ts";
import { checkFiles, PartialFile } from "./partial-file.ts";
import { ProgressLine } from "./progress-line.ts";
import { recordingSize } from "./recording-size.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

interface DecodeOptions {
  readonly out?: string;
  readonly format?: SinkFormat;
  readonly json?: boolean;
}

const HELP = `
Without --out the rows go to standard output. With --json and without --out
nothing is written: the file is checked. A damaged or cut-off file gives
everything before the damage, and ends with exit code 1 and the last good
sample; with --json the object says how much came back, and what is wrong.

Both formats keep the bound; --format f32 is refused where float32 could not.

Examples:
  $ lockstep decode drive.lst --out drive.csv
  $ lockstep decode drive.lst | head
  $ lockstep decode drive.lst --json`;

/** `lockstep decode`: a container back into a recording. */
export function addDecode(program: Command, surroundings: Surroundings): void {
  program
    .command("decode")
    .summary("give back what encode compressed")
    .description("Decode a container: every value is within the bound that its header names.")
    .argument("<FILE>", "container written by `lockstep encode`")
    .option("-o, --out <OUT>", "file to write (default: standard output)")
    .addOption(new Option("--format <FORMAT>", "what to write (default: what the recording was)").choices(SINK_FORMATS))
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", HELP)
    .action((file: string, options: DecodeOptions) => runDecode(surroundings, file, options));
}

async function runDecode(surroundings: Surroundings, input: string, options: DecodeOptions): Promise<void> {
  const { stdout, stderr, clock, interrupt } = surroundings;
  const { decodeFile } = await import("../workloads/telemetry/decode-file.ts");
  const { shippedCodec } = await import("./device-module.ts");
  const { out, format, json: isJson } = options;
  if (out === undefined && isJson !== true && format === "f32" && stdout.isTTY === true) {
    throw new CommandError("usage", "float32 would garble this terminal", "give --out FILE, or pipe it");
  }
  await checkFiles(input, out);
  const codec = shippedCodec();
  const file = out === undefined ? undefined : await PartialFile.open(out);
  const progress = new ProgressLine(stderr, clock, "decode");
  try {
    const summary = await decodeFile({
      input,
      stream: file?.stream ?? (isJson === true ? undefined : stdout),
      format,
      codecOf: (model) => (model === codec.model ? codec : undefined),
      progress,
      signal: interrupt,
    });
    progress.clear();
    await file?.keep();
    if (isJson === true) await writeResult(surroundings, true, summary, "");
    else if (out !== undefined) {
      const { samples, channels, timeEps } = summary;
      stderr.write(`${out}: ${recordingSize(samples, channels.length, timeEps !== null)}\n`);
    }
  } catch (error) {
    progress.clear();
    if (!interrupt.aborted) {
      // What came before the damage is worth having; where there is nothing, a file of before stays.
      if (hasSamplesBefore(error)) await file?.keep();
      else await file?.discard();
      if (isJson === true && error instanceof TelemetryError) {
        await writeResult(surroundings, true, failedSummary(input, error), "");
      }
      throw error;
    }
    await file?.discard();
    if (file === undefined) return;
    throw new CommandError("interrupted", `stopped at ${progress.place}`, "nothing was written", { cause: error });
  }
}

/** What a person with a program would ask: how much came back, and why not all. */
function failedSummary(input: string, error: TelemetryError): object {
  const { lastSample } = error.facts;
  const samples = typeof lastSample === "number" ? lastSample + 1 : 0;
  return { input, samples, error: { code: error.code, message: error.message, ...error.facts } };
}

/** Whether a container's error says that samples before it are good. */
function hasSamplesBefore(error: unknown): boolean {
  if (!(error instanceof TelemetryError)) return false;
  const { lastSample } = error.facts;
  return typeof lastSample === "number" && lastSample >= 0;
}
