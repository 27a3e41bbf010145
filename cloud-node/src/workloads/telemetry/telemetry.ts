import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { deserialize, serialize } from "node:v8";
import { openHistory } from "../../history/history.ts";
import type { NamedBlob } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobContext, Workload } from "../../jobs/workload.ts";
import { StoreError } from "../../store/store-error.ts";
import type { TelemetryCodec } from "./block-codec.ts";
import {
  type EncodeSummary,
  encodeFile,
  encodeSource,
  type ProgressReport,
  type SourceRequest,
} from "./encode-file.ts";
import { openHistorySource } from "./history-source.ts";
import type { Survey } from "./survey.ts";
import { TelemetryError } from "./telemetry-error.ts";
import {
  epsOf,
  paramsSchema,
  rangeOf,
  resultSchema,
  type TelemetryParams,
  type TelemetryResult,
} from "./telemetry-job.ts";

/** Of the work, about: the first pass reads, the second one codes, decodes and compares. */
const SURVEY_SHARE = 0.2;
/** What a checkpoint begins with; another one is of another release, and not gone on from. */
const SURVEY_FORM = "telemetry survey 1";
const OUTPUT_ENDING = ".lst";
const MAX_STEM_BYTES = 255 - OUTPUT_ENDING.length;

/**
 * `telemetry`: a recording, or a device's past out of a node's store, into a container in which every value stays within
 * the bound asked for. Each block is decoded and compared with what was read before it counts.
 *
 * Inputs: a CSV file; or a float32 file (`.f32`, `.bin`, `.raw`) and its description (`.json`); or a store, with `device`
 * among the parameters. Output: the container, under the input's name and `.lst`.
 *
 * @param codec  a fresh one for each job
 */
export function telemetry(codec: () => TelemetryCodec): Workload<TelemetryParams, TelemetryResult> {
  return {
    name: "telemetry",
    summary: "compress recorded telemetry, or a device's past, every value within its bound",
    params: paramsSchema,
    result: resultSchema,
    run: (params, context) => compress(params, context, codec()),
  };
}

async function compress(params: TelemetryParams, context: JobContext, codec: TelemetryCodec): Promise<TelemetryResult> {
  const { recording, description } = inputsOf(context.inputs, params);
  const input = await context.file(recording);
  const output = join(context.scratch, "container");
  try {
    const request: SourceRequest = {
      ...{ input, output, codec, eps: epsOf(params), lookahead: params.lookahead },
      ...{ signal: context.signal, progress: new StageProgress(context) },
      survey: await keptSurvey(context, codec.model),
      onSurvey: (survey) => context.checkpoint(once(serialize({ form: SURVEY_FORM, model: codec.model, survey }))),
    };
    const { summary, damagedUs } =
      params.device === undefined
        ? { summary: await encodeRecording(params, context, request, description), damagedUs: 0 }
        : await encodePast(params.device, params, recording.name, request);
    const { bytes } = await context.writeFile(outputName(recording.name, params), output);
    const { input: _input, output: _output, outputBytes: _bytes, ...facts } = summary;
    return { ...facts, bytes, damagedUs };
  } catch (error) {
    throw asJobError(error, input, recording.name);
  }
}

async function encodeRecording(
  { time, columns, rateHz }: TelemetryParams,
  context: JobContext,
  request: SourceRequest,
  description: NamedBlob | undefined,
): Promise<EncodeSummary> {
  const metaFile = description === undefined ? undefined : await context.file(description);
  return await encodeFile({ ...request, time, columns, rateHz, metaFile });
}

async function encodePast(device: string, params: TelemetryParams, store: string, request: SourceRequest) {
  const history = await openHistory(request.input);
  try {
    const place = [store, device, params.day ?? "every day"].join(", ");
    const source = openHistorySource(history, device, rangeOf(params), place);
    return { summary: await encodeSource(source, request), damagedUs: source.damagedUs };
  } finally {
    history.close();
  }
}

interface Inputs {
  readonly recording: NamedBlob;
  readonly description: NamedBlob | undefined;
}

/** @throws {JobError} `bad-job` for inputs that are no recording, or more than one */
function inputsOf(inputs: readonly NamedBlob[], { device }: TelemetryParams): Inputs {
  const isMeta = ({ name }: NamedBlob) => name.toLowerCase().endsWith(".json");
  const [recording, ...others] = inputs.filter((input) => !isMeta(input));
  const [description, ...more] = inputs.filter(isMeta);
  if (recording === undefined || others.length > 0 || more.length > 0) {
    const names = inputs.map(({ name }) => name).join(", ");
    throw badInputs(`${inputs.length} inputs (${names})`, "a job compresses one file: submit one for each");
  }
  const isFloat = device === undefined && /\.(f32|bin|raw)$/i.test(recording.name);
  if (isFloat && description === undefined) {
    throw badInputs(`${recording.name} without a description`, "give the .json file that names its channels, too");
  }
  if (!isFloat && description !== undefined) {
    const what = device === undefined ? "CSV" : "a store";
    throw badInputs(`${description.name} beside ${recording.name}`, `${what} has no description: leave it out`);
  }
  return { recording, description };
}

function badInputs(problem: string, remedy: string): JobError {
  return new JobError("bad-job", `telemetry, inputs: ${problem}`, remedy);
}

function outputName(recording: string, { device, day }: TelemetryParams): string {
  const parts = device === undefined ? [recording] : day === undefined ? [device] : [device, day];
  // Names of files have 255 bytes at most, also those of inputs, which have no `.lst` yet.
  const characters = [...parts.join("-")];
  while (Buffer.byteLength(characters.join("")) > MAX_STEM_BYTES) characters.pop();
  return `${characters.join("")}${OUTPUT_ENDING}`;
}

async function keptSurvey(context: JobContext, model: string): Promise<Survey | undefined> {
  const source = context.resume();
  if (source === undefined) return undefined;
  const kept = deserialized(await buffer(source));
  if (kept?.form !== SURVEY_FORM || kept.model !== model) return undefined;
  context.log("the first pass was made by an attempt before");
  return kept.survey;
}

/** @returns undefined for what another release of Node may have written, in a format that this one does not read */
function deserialized(bytes: Uint8Array): { form?: unknown; model?: unknown; survey?: Survey } | undefined {
  try {
    return deserialize(bytes) ?? undefined;
  } catch {
    return undefined;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

class StageProgress implements ProgressReport {
  readonly #context: JobContext;
  #note = "";
  #from = SURVEY_SHARE;
  #share = 1 - SURVEY_SHARE;

  constructor(context: JobContext) {
    this.#context = context;
  }

  stage(name: string): void {
    this.#note = name;
    const isSurvey = name.startsWith("1/");
    this.#from = isSurvey ? 0 : SURVEY_SHARE;
    this.#share = isSurvey ? SURVEY_SHARE : 1 - SURVEY_SHARE;
    this.update(0, 1);
  }

  update(done: number, total: number): void {
    this.#context.progress({ fraction: this.#from + (this.#share * done) / total, note: this.#note });
  }

  finishing(): void {
    this.#context.progress({ note: "check" });
  }
}

/** What is wrong with a recording or a store, in the words of a job: another attempt would find the same. */
function asJobError(error: unknown, path: string, name: string): unknown {
  if (error instanceof StoreError) {
    if (error.code === "unknown-device") {
      const problem = `telemetry, device: ${name} knows no device ${error.facts.device}`;
      return new JobError("bad-params", problem, "name one that it has", { cause: error });
    }
    if (error.code === "input-output" || error.code === "disk-full") return error;
  } else if (!(error instanceof TelemetryError) || error.code === "outside-bound") return error;
  const problem = error.message.replaceAll(path, name);
  const remedy = "mend it, or ask for what can be kept";
  if (error.code === "bad-eps")
    return new JobError("bad-params", `telemetry, eps: ${problem}`, remedy, { cause: error });
  return new JobError("bad-input", problem, remedy, { cause: error });
}
