import { open, stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { CodecError } from "@lockstep/edge-sdk/core";
import { BlockDecoder, type TelemetryCodec } from "./block-codec.ts";
import { type ContainerHeader, dataChannels, timeBound } from "./container-format.ts";
import { ContainerReader, type PlacedBlock } from "./container-reader.ts";
import type { ProgressReport } from "./encode-file.ts";
import { openSink, type SinkFormat } from "./row-sink.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** What to decode, and where to. */
export interface DecodeRequest {
  readonly input: string;
  /** Where rows go; undefined: nowhere, the file is only checked. */
  readonly stream: Writable | undefined;
  /** undefined: what the recording was. */
  readonly format: SinkFormat | undefined;
  /** The codec of a model id; undefined when this program does not have it. */
  readonly codecOf: (model: string) => TelemetryCodec | undefined;
  readonly progress: ProgressReport;
  readonly signal: AbortSignal;
}

/** What a container held. */
export interface DecodeSummary {
  readonly input: string;
  readonly model: string;
  readonly samples: number;
  /** The time column left out. */
  readonly channels: readonly { readonly name: string; readonly unit: string; readonly eps: number }[];
  /** Bound on times, s: 0 where every time is given back as it was; null without a time column. */
  readonly timeEps: number | null;
  readonly blocks: number;
  readonly bytes: number;
}

/**
 * Decode a container, block by block: what comes before damage is written, then the error is thrown.
 *
 * @throws {TelemetryError} what `ContainerReader` gives, and `unknown-model`
 */
export async function decodeFile(request: DecodeRequest): Promise<DecodeSummary> {
  const { input, progress, signal } = request;
  const file = await open(input);
  try {
    const bytes = (await stat(input)).size;
    const reader = await ContainerReader.open(file, input);
    const { header } = reader;
    const codec = request.codecOf(header.model);
    if (codec === undefined) throw new TelemetryError("unknown-model", { file: input, have: header.model });
    const decoder = openDecoder(codec, header, input);
    const format = request.format ?? header.source;
    const sink = request.stream === undefined ? undefined : await openSink(request.stream, header, format);
    progress.stage("1/1 decode");
    let samples = 0;
    let blocks = 0;
    for await (const block of reader.blocks()) {
      signal.throwIfAborted();
      const values = decodeBlock(decoder, block, input);
      await sink?.write(values, block.firstSample);
      samples += block.samples;
      blocks += 1;
      progress.update(reader.offset, bytes);
    }
    progress.finishing();
    const channels = dataChannels(header).map(({ name, unit, eps }) => ({ name, unit, eps }));
    return { input, model: header.model, samples, channels, timeEps: timeBound(header), blocks, bytes };
  } finally {
    await file.close();
  }
}

function openDecoder(codec: TelemetryCodec, header: ContainerHeader, file: string): BlockDecoder {
  try {
    return new BlockDecoder(codec, header);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new TelemetryError("bad-header", { file, problem: error.message }, { cause: error });
  }
}

function decodeBlock(decoder: BlockDecoder, block: PlacedBlock, file: string): Float64Array {
  try {
    return decoder.decode(block);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const place = { file, block: block.block, offset: block.offset, lastSample: block.firstSample - 1 };
    throw new TelemetryError("bad-block", { ...place, problem: error.message }, { cause: error });
  }
}
