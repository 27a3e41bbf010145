import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import type { Lookahead } from "@lockstep/edge-sdk/core";
import { aboutOutput } from "../output-problem.ts";
import { partialPath } from "../partial-path.ts";
import { BlockDecoder, BlockEncoder, type TelemetryCodec } from "./block-codec.ts";
import { BlockSize } from "./block-size.ts";
import { BoundCheck } from "./bound-check.ts";
import { type ContainerHeader, timeBound } from "./container-format.ts";
import { ContainerReader } from "./container-reader.ts";
import { ContainerWriter } from "./container-writer.ts";
import type { EpsSpec } from "./eps-spec.ts";
import { latticeFirst } from "./lattice-first.ts";
import { openRecording, type RecordingFile } from "./open-recording.ts";
import type { RowSource } from "./row-source.ts";
import { type Survey, surveySource } from "./survey.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** Told how far work is: of a source's extent, all of which is read once per stage. */
export interface ProgressReport {
  stage(name: string): void;
  update(done: number, total: number): void;
  finishing(): void;
}

/** What to encode a source into, and how exactly. */
export interface SourceRequest {
  /** File that the source is in. */
  readonly input: string;
  readonly output: string;
  readonly eps: EpsSpec;
  readonly codec: TelemetryCodec;
  /** How far the encoder looks ahead: more is smaller, and slower. */
  readonly lookahead: Lookahead;
  readonly progress: ProgressReport;
  readonly signal: AbortSignal;
  /** What the first of the two passes found out earlier; undefined: it is made. */
  readonly survey?: Survey | undefined;
  /** Told what the first pass found out. */
  readonly onSurvey?: ((survey: Survey) => Promise<void>) | undefined;
}

/** What file to encode. */
export interface EncodeRequest extends SourceRequest, RecordingFile {}

/** What became of it. */
export interface EncodeSummary {
  readonly input: string;
  readonly output: string;
  readonly model: string;
  readonly lookahead: Lookahead;
  readonly samples: number;
  readonly channels: number;
  readonly blocks: number;
  readonly inputBytes: number;
  /** As float32, the time column left out. */
  readonly rawBytes: number;
  readonly outputBytes: number;
  /** rawBytes / outputBytes. */
  readonly ratio: number;
  /** Bits of the file per channel-sample, header, checksums and times included. */
  readonly bitsPerSample: number;
  readonly maxErrorOverEps: number;
  /** Bound on times, s: 0 where every time is given back as it was; null without a time column. */
  readonly timeEps: number | null;
}

const FLOAT32_BYTES = 4;
/** Of a time's last digit; a half would be too near to the next one. */
const NEAR_DIGITS = 0.25;

/**
 * Encode a recording into a container, decoding each block and comparing it with the input before it counts as done.
 *
 * The output appears under its name only when it is complete and durable; memory is one block, whatever the size.
 *
 * @throws {TelemetryError} `bad-input`, `bad-eps`, `eps-too-fine`, `input-changed`, `outside-bound`
 */
export async function encodeFile(request: EncodeRequest): Promise<EncodeSummary> {
  return await encodeSource(await openRecording(request), request);
}

/** The same of anything that gives rows. @throws {TelemetryError} as `encodeFile` */
export async function encodeSource(source: RowSource, request: SourceRequest): Promise<EncodeSummary> {
  const survey = request.survey ?? (await newSurvey(source, request));
  // Kept while the second pass is made, which need not wait for a disk; a refusal is told at its end.
  const kept = request.survey === undefined ? request.onSurvey?.(survey) : undefined;
  kept?.catch(() => {});
  const partial = partialPath(request.output);
  const refuse = (error: unknown): never => {
    throw aboutOutput(error, request.output);
  };
  try {
    const wanted = { eps: request.eps, model: request.codec.model };
    const summary = await latticeFirst(source, survey, wanted, (header) =>
      writeContainer(request, source, survey, header, partial),
    );
    await kept;
    await rename(partial, request.output).catch(refuse);
    return summary;
  } finally {
    await kept?.catch(() => {});
    await rm(partial, { force: true }).catch(refuse);
  }
}

async function newSurvey(source: RowSource, { progress, signal }: SourceRequest): Promise<Survey> {
  progress.stage("1/2 survey");
  return await surveySource(source, (done) => progress.update(done, source.extent), signal);
}

async function writeContainer(
  request: SourceRequest,
  source: RowSource,
  survey: Survey,
  header: ContainerHeader,
  partial: string,
): Promise<EncodeSummary> {
  const { progress, signal, codec, lookahead } = request;
  progress.stage("2/2 code and check");
  const file = await open(partial, "w+").catch((error: unknown) => {
    throw aboutOutput(error, request.output);
  });
  try {
    const writer = await ContainerWriter.open(file, header);
    const encoder = new BlockEncoder(codec, header, lookahead);
    const decoder = new BlockDecoder(codec, header);
    const check = new BoundCheck(header);
    let samples = 0;
    const size = new BlockSize();
    for await (const { values, extentRead } of blocksOf(source, header, size)) {
      signal.throwIfAborted();
      const block = encoder.encode(values);
      check.compare(values, decoder.decode(block));
      const before = writer.bytes;
      await writer.writeBlock(block);
      size.came(block.samples, writer.bytes - before);
      samples += block.samples;
      progress.update(extentRead, source.extent);
    }
    if (samples !== survey.samples) {
      const problem = `${survey.samples} rows at first, then ${samples}`;
      throw new TelemetryError("input-changed", { file: source.file, problem });
    }
    await writer.end();
    progress.finishing();
    await file.sync();
    await checkWritten(file, request.output);
    return summarize(request, source, header, samples, writer, check);
  } finally {
    await file.close();
  }
}

/** Rows of all channels, the time as the last one where it is a channel, in runs of a block. */
async function* blocksOf(source: RowSource, header: ContainerHeader, size: BlockSize) {
  const width = header.channels.length;
  const times = header.time;
  let limit = size.samples;
  let block = new Float64Array(limit * width);
  let rows = 0;
  let extentRead = 0;
  let before = 0;
  for await (const batch of source.batches()) {
    const channels = source.columns.length;
    extentRead = batch.extentRead;
    for (let row = 0; row < batch.count; row++) {
      const at = rows * width;
      for (let c = 0; c < channels; c++) block[at + c] = batch.values[row * channels + c] ?? Number.NaN;
      const time = batch.times[row] ?? Number.NaN;
      if (times.kind === "channel") block[at + channels] = time;
      else if (times.kind === "uniform") checkTime(source.file, times, before + rows, time);
      rows += 1;
      if (rows === limit) {
        yield { values: block, extentRead };
        before += rows;
        limit = size.samples;
        block = new Float64Array(limit * width);
        rows = 0;
      }
    }
  }
  if (rows > 0) yield { values: block.subarray(0, rows * width), extentRead };
}

/** A constant period was found in the first pass; it must hold, digit for digit, for what is read now. */
function checkTime(
  file: string,
  { start, period, decimals }: Extract<ContainerHeader["time"], { kind: "uniform" }>,
  index: number,
  time: number,
): void {
  const expected = start + index * period;
  // A time is a whole number of last digits: what is so near to it has its digits, and need not be written to see it.
  if (Math.abs(expected - time) < NEAR_DIGITS * 10 ** -decimals) return;
  if (expected.toFixed(decimals) === time.toFixed(decimals)) return;
  throw new TelemetryError("input-changed", { file, problem: `the time of sample ${index} is ${time}` });
}

/** Read the file back: every checksum, and the digest over all. */
async function checkWritten(file: FileHandle, name: string): Promise<void> {
  const reader = await ContainerReader.open(file, name);
  for await (const _block of reader.blocks());
}

async function summarize(
  { input, output, codec, lookahead }: SourceRequest,
  source: RowSource,
  header: ContainerHeader,
  samples: number,
  writer: ContainerWriter,
  check: BoundCheck,
): Promise<EncodeSummary> {
  const channels = source.columns.length;
  const rawBytes = FLOAT32_BYTES * samples * channels;
  return {
    input,
    output,
    model: codec.model,
    lookahead,
    samples,
    channels,
    blocks: writer.blocks,
    inputBytes: (await stat(input)).size,
    rawBytes,
    outputBytes: writer.bytes,
    ratio: rawBytes / writer.bytes,
    bitsPerSample: (8 * writer.bytes) / (samples * channels),
    maxErrorOverEps: check.maxErrorOverEps,
    timeEps: timeBound(header),
  };
}
