import {
  CodecError,
  type Core,
  type DecodedPayload,
  type FixedSample,
  type Lookahead,
  type PayloadDecoder,
  type PayloadEncoder,
  toFixed,
  toFloat,
} from "@lockstep/edge-sdk/core";
import type { ContainerBlock, ContainerChannel, ContainerFrame, ContainerHeader } from "./container-format.ts";

/** A codec module and its identity. */
export interface TelemetryCodec {
  /** SHA-256 of the device module, hex: what a container names. */
  readonly model: string;
  readonly core: Core;
}

/** Statuses of a sample, as the codec numbers them. */
const STATUS_OK = 0;
/** A sample that is no reading. */
export const STATUS_INVALID = 1;

/** Channels `from` … `from + count − 1`, one codec stream. */
interface Group {
  readonly from: number;
  readonly channels: readonly ContainerChannel[];
}

/** A value as the codec gets it; NaN: no reading. */
export function toSample(channel: ContainerChannel, value: number): FixedSample {
  return toFixed(channel, channel.tens === 0 ? value : Math.round(value * 10 ** channel.tens));
}

/** Turns rows of values into blocks. */
export class BlockEncoder {
  readonly #groups: readonly Group[];
  readonly #encoders: readonly PayloadEncoder[];
  readonly #width: number;

  /** @throws {CodecError} for a header that the core refuses, or a lookahead that it has not */
  constructor({ core }: TelemetryCodec, header: ContainerHeader, lookahead: Lookahead) {
    this.#groups = groupsOf(header);
    this.#width = header.channels.length;
    this.#encoders = this.#groups.map(({ channels }) => core.createEncoder(core.configure(channels), { lookahead }));
  }

  /**
   * Encode one block.
   *
   * @param values  shape (rows, all channels), row-major; NaN: no reading
   * @throws {CodecError} `off-lattice` where a lattice claim fails
   */
  encode(values: Float64Array): ContainerBlock {
    const rows = values.length / this.#width;
    const frames = this.#groups.flatMap((group, g) => {
      const encoder = this.#encoders[g];
      return encoder === undefined ? [] : this.#encodeGroup(encoder, group, g, values, rows);
    });
    return { samples: rows, frames };
  }

  #encodeGroup(encoder: PayloadEncoder, { from, channels }: Group, group: number, values: Float64Array, rows: number) {
    const samples = new Int32Array(rows * channels.length);
    const statuses = new Uint8Array(rows * channels.length);
    let hasEvents = false;
    for (let row = 0, at = 0; row < rows; row++) {
      for (let c = 0; c < channels.length; c++, at++) {
        const channel = channels[c];
        if (channel === undefined) continue;
        const fixed = toSample(channel, values[row * this.#width + from + c] ?? Number.NaN);
        samples[at] = fixed.sample;
        statuses[at] = fixed.status;
        hasEvents ||= fixed.status !== STATUS_OK;
      }
    }
    const frames: ContainerFrame[] = [];
    for (let done = 0; done < rows; ) {
      const start = done * channels.length;
      const encoded = encoder.encode(samples.subarray(start), hasEvents ? statuses.subarray(start) : undefined);
      // Too little room only ends the frame; anything else is a refusal of the next row.
      if (encoded.refusal !== undefined && encoded.refusal.code !== "output-full") throw encoded.refusal;
      const { hasLines, payload } = encoded;
      frames.push({ group, hasEvents, hasLines, samples: encoded.rows, payload });
      done += encoded.rows;
    }
    return frames;
  }
}

/** Turns blocks back into rows of values. */
export class BlockDecoder {
  readonly #groups: readonly Group[];
  readonly #decoders: readonly PayloadDecoder[];
  readonly #width: number;

  /** @throws {CodecError} for a header that the core refuses */
  constructor({ core }: TelemetryCodec, header: ContainerHeader) {
    this.#groups = groupsOf(header);
    this.#width = header.channels.length;
    this.#decoders = this.#groups.map(({ channels }) => core.createDecoder(core.configure(channels)));
  }

  /**
   * Decode the block that follows the one before.
   *
   * @returns shape (rows, all channels), row-major; NaN: no reading
   * @throws {CodecError} `corrupt`, `not-canonical`
   */
  decode(block: ContainerBlock): Float64Array {
    const values = new Float64Array(block.samples * this.#width);
    const rowsDone = this.#groups.map(() => 0);
    for (const frame of block.frames) {
      const group = this.#groups[frame.group];
      const decoded = this.#decoders[frame.group]?.decode(frame.payload, frame.samples, frame);
      const before = rowsDone[frame.group];
      if (group === undefined || decoded === undefined || before === undefined) {
        throw new CodecError("corrupt", { group: frame.group });
      }
      this.#fill(values, group, decoded, before);
      rowsDone[frame.group] = before + frame.samples;
    }
    return values;
  }

  #fill(
    values: Float64Array,
    { from, channels }: Group,
    { samples, statuses }: DecodedPayload,
    firstRow: number,
  ): void {
    for (let at = 0, row = firstRow; at < samples.length; row++) {
      for (const [c, channel] of channels.entries()) {
        const value = toFloat(channel, samples[at] ?? 0);
        const isMissing = statuses[at] === STATUS_INVALID;
        values[row * this.#width + from + c] = isMissing ? Number.NaN : value / 10 ** channel.tens;
        at += 1;
      }
    }
  }
}

function groupsOf(header: ContainerHeader): Group[] {
  let from = 0;
  return header.groups.map((count) => {
    const group = { from, channels: header.channels.slice(from, from + count) };
    from += count;
    return group;
  });
}
