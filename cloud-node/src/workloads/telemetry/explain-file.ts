import { BlockEncoder, type TelemetryCodec, toSample } from "./block-codec.ts";
import { type ChannelForecasts, ForecastCounter } from "./channel-forecasts.ts";
import { type ContainerBlock, type ContainerChannel, type ContainerHeader, dataChannels } from "./container-format.ts";
import type { ProgressReport } from "./encode-file.ts";
import type { EpsSpec } from "./eps-spec.ts";
import { latticeFirst } from "./lattice-first.ts";
import { openRecording, type RecordingFile } from "./open-recording.ts";
import type { RowBatch, RowSource } from "./row-source.ts";
import { surveySource } from "./survey.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** What recording to look into, at which bound. */
export interface ExplainRequest extends RecordingFile {
  readonly eps: EpsSpec;
  readonly codec: TelemetryCodec;
  readonly progress: ProgressReport;
  readonly signal: AbortSignal;
}

/** One channel: what forecasts leave of it, and what the codec makes of it without the others. */
export interface ExplainedChannel extends ChannelForecasts {
  readonly name: string;
  readonly unit: string;
  /** Bound in the channel's unit. */
  readonly eps: number;
  readonly readings: number;
  /** Bits of payload per sample, coded alone and without lookahead. */
  readonly coded: number;
}

/** Where the bits of a recording go. */
export interface Explanation {
  readonly input: string;
  readonly model: string;
  readonly samples: number;
  readonly channels: readonly ExplainedChannel[];
  /** Bits of payload per channel-sample without lookahead: the mean of channels coded alone. */
  readonly codedAlone: number;
  /** The same of channels coded together, where each also foresees the others. */
  readonly codedTogether: number;
}

/**
 * Count what is left of a recording to be said after a forecast, by forecasts of four kinds, and what the codec codes.
 *
 * Memory is one batch, and a count for every distinct bin.
 *
 * @throws {TelemetryError} `bad-input`, `bad-eps`, `eps-too-fine`, `out-of-range`, `input-changed`
 */
export async function explainFile(request: ExplainRequest): Promise<Explanation> {
  const { codec, progress, signal } = request;
  const source = await openRecording(request);
  progress.stage("1/2 survey");
  const survey = await surveySource(source, (done) => progress.update(done, source.extent), signal);
  const wanted = { eps: request.eps, model: codec.model };
  return await latticeFirst(source, survey, wanted, (header) => explain(request, source, survey.samples, header));
}

async function explain(
  { input, codec, progress, signal }: ExplainRequest,
  source: RowSource,
  readBefore: number,
  header: ContainerHeader,
): Promise<Explanation> {
  progress.stage("2/2 foresee and code");
  const channels = dataChannels(header).map((channel) => new ChannelCount(codec, header, channel));
  const groups = header.time.kind === "channel" ? header.groups.slice(0, -1) : header.groups;
  const together = new BlockEncoder(codec, { ...header, channels: dataChannels(header), groups }, "none");
  let samples = 0;
  let togetherBytes = 0;
  for await (const batch of source.batches()) {
    channels.forEach((channel, c) => {
      signal.throwIfAborted();
      channel.add(columnOf(batch, c, channels.length));
    });
    togetherBytes += payloadBytes(together.encode(batch.values.subarray(0, batch.count * channels.length)));
    samples += batch.count;
    progress.update(batch.extentRead, source.extent);
  }
  if (samples !== readBefore) {
    const problem = `${readBefore} rows at first, then ${samples}`;
    throw new TelemetryError("input-changed", { file: source.file, problem });
  }
  const explained = channels.map((channel) => channel.result(samples));
  return {
    input,
    model: codec.model,
    samples,
    channels: explained,
    codedAlone: explained.reduce((sum, { coded }) => sum + coded, 0) / channels.length,
    codedTogether: (8 * togetherBytes) / (samples * channels.length),
  };
}

class ChannelCount {
  readonly #channel: ContainerChannel;
  readonly #encoder: BlockEncoder;
  readonly #forecasts: ForecastCounter;
  #readings = 0;
  #bytes = 0;

  constructor(codec: TelemetryCodec, header: ContainerHeader, channel: ContainerChannel) {
    this.#channel = channel;
    this.#encoder = new BlockEncoder(codec, { ...header, channels: [channel], groups: [1] }, "none");
    this.#forecasts = new ForecastCounter(codec.core, channel);
  }

  /** @throws {CodecError} `off-lattice` where a lattice claim fails */
  add(column: Float64Array): void {
    this.#bytes += payloadBytes(this.#encoder.encode(column));
    for (const value of column) {
      if (!Number.isNaN(value)) this.#readings += 1;
      this.#forecasts.add(toSample(this.#channel, value));
    }
  }

  result(samples: number): ExplainedChannel {
    const { name, unit, eps } = this.#channel;
    const coded = (8 * this.#bytes) / samples;
    return { name, unit, eps, readings: this.#readings, coded, ...this.#forecasts.result() };
  }
}

function columnOf({ values, count }: RowBatch, c: number, width: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => values[row * width + c] ?? Number.NaN);
}

function payloadBytes({ frames }: ContainerBlock): number {
  return frames.reduce((sum, { payload }) => sum + payload.length, 0);
}
