import * as v from "valibot";

/**
 * The telemetry container, version 0. Integers are little-endian; `varint` is seven bits a byte, least significant
 * first; CRC is CRC-32 as in zlib.
 *
 *     magic      8        89 4C 53 54 0D 0A 1A 0A: a transfer as text, or by seven-bit mail, breaks it visibly
 *     version    1        0
 *     length     4        bytes of the header
 *     header     length   `ContainerHeader` as JSON, UTF-8, compressed as zlib does (RFC 1950)
 *     crc        4        of everything above
 *
 *     block      1        0x42, "B"
 *     length     4        bytes of the body
 *     body       length   samples varint, then frames until the body ends:
 *                           4 group + 2 lines + events varint · samples varint · length varint · payload
 *     crc        4        of tag, length and body
 *
 *     trailer    1        0x45, "E"
 *     blocks     8
 *     samples    8
 *     digest     32       SHA-256 of everything before the trailer
 *     crc        4        of the trailer above
 *
 * Each group is one codec stream of up to 16 channels, from its first sample to its last: a block cannot be decoded
 * without those before it, and everything before a damaged one can.
 */
export const CONTAINER_MAGIC = Uint8Array.of(0x89, 0x4c, 0x53, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
/** Becomes 1 when the codec is frozen. */
export const CONTAINER_VERSION = 0;
export const BLOCK_TAG = 0x42;
export const TRAILER_TAG = 0x45;
/** Magic, version and header length. */
export const PREAMBLE_BYTES = 8 + 1 + 4;
/** Tag and body length. */
export const BLOCK_HEAD_BYTES = 1 + 4;
export const CRC_BYTES = 4;
export const DIGEST_BYTES = 32;
/** Tag, blocks, samples, digest, CRC. */
export const TRAILER_BYTES = 1 + 8 + 8 + DIGEST_BYTES + CRC_BYTES;
/** Compressed or not: a header says names, units and numbers of at most a few thousand channels. */
export const MAX_HEADER_BYTES = 1 << 20;
/** Far above what a writer makes (MAX_BLOCK_SAMPLES of 255 groups would not fit either): a bound for readers. */
export const MAX_BLOCK_BYTES = 1 << 26;
/** Most samples of a block: what a reader must have room for. A writer closes blocks earlier (block-size.ts). */
export const MAX_BLOCK_SAMPLES = 65_536;

const integer = v.pipe(v.number(), v.safeInteger());
const natural = v.pipe(integer, v.minValue(0));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

const channelSchema = v.strictObject({
  name,
  unit: v.pipe(v.string(), v.maxLength(64)),
  /** Bound in the channel's unit, as asked for. */
  eps: v.pipe(v.number(), v.finite(), v.minValue(0)),
  /** The codec's promise in sample units: largest error, lattice spacing, history shift. */
  e: natural,
  lattice: v.pipe(integer, v.minValue(1)),
  historyShift: natural,
  /** value = (sample + offset) · mantissa · 2^exponent / 10^tens, in float64, from left to right. */
  offset: integer,
  mantissa: v.pipe(integer, v.minValue(1)),
  exponent: integer,
  tens: v.pipe(natural, v.maxValue(22)),
  /** Digits after the point with which a text keeps the bound. */
  decimals: v.pipe(natural, v.maxValue(100)),
});

const timeSchema = v.variant("kind", [
  /** No time column: samples are `periodNs` apart, where known. */
  v.strictObject({ kind: v.literal("none") }),
  /** time = start + i · period, rounded to `decimals`: prints as the source did. */
  v.strictObject({
    kind: v.literal("uniform"),
    column: name,
    position: natural,
    start: v.number(),
    period: v.number(),
    decimals: v.pipe(natural, v.maxValue(100)),
    style: v.picklist(["number", "date"]),
    separator: v.picklist(["T", " ", ""]),
    suffix: v.picklist(["Z", ""]),
  }),
  /** The time column is the last channel, in a group of its own. */
  v.strictObject({
    kind: v.literal("channel"),
    column: name,
    position: natural,
    decimals: v.pipe(natural, v.maxValue(100)),
    style: v.picklist(["number", "date"]),
    separator: v.picklist(["T", " ", ""]),
    suffix: v.picklist(["Z", ""]),
  }),
]);

const headerSchema = v.strictObject({
  /** SHA-256 of the codec module, hex. */
  model: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** What the recording was: decides what `decode` writes unless told otherwise. */
  source: v.picklist(["csv", "f32"]),
  /** Sample period, ns; 0 when unknown. */
  periodNs: natural,
  time: timeSchema,
  channels: v.pipe(v.array(channelSchema), v.minLength(1)),
  /** Channels per codec stream, in order; they add up to the number of channels. */
  groups: v.pipe(v.array(v.pipe(integer, v.minValue(1), v.maxValue(16))), v.minLength(1), v.maxLength(127)),
});

/** What a reader must know before the first block. */
export type ContainerHeader = v.InferOutput<typeof headerSchema>;
/** One channel of a container. */
export type ContainerChannel = v.InferOutput<typeof channelSchema>;
/** How the time of a sample is known. */
export type ContainerTime = v.InferOutput<typeof timeSchema>;

/** The channels of a recording: all but the time, where that is one. */
export function dataChannels(header: ContainerHeader): ContainerHeader["channels"] {
  return header.time.kind === "channel" ? header.channels.slice(0, -1) : header.channels;
}

/** Bound on times, s: 0 where every time is given back as it was; null without a time column. */
export function timeBound({ time, channels }: ContainerHeader): number | null {
  if (time.kind === "none") return null;
  return time.kind === "channel" ? (channels.at(-1)?.eps ?? 0) : 0;
}

/** One frame of one group: `samples` rows in `payload`. */
export interface ContainerFrame {
  readonly group: number;
  /** Whether the payload codes statuses, or may have lines; never both. */
  readonly hasEvents: boolean;
  readonly hasLines: boolean;
  readonly samples: number;
  readonly payload: Uint8Array;
}

/** Frames of all groups that together hold the same `samples` rows. */
export interface ContainerBlock {
  readonly samples: number;
  readonly frames: readonly ContainerFrame[];
}

/**
 * Check a parsed header.
 *
 * @returns the header, or one line that says what is wrong with it
 */
export function checkHeader(parsed: unknown): ContainerHeader | string {
  const result = v.safeParse(headerSchema, parsed);
  if (!result.success) {
    const [issue] = result.issues;
    return `${v.getDotPath(issue) ?? "header"}: ${issue.message}`;
  }
  const grouped = result.output.groups.reduce((sum, count) => sum + count, 0);
  const channels = result.output.channels.length;
  return grouped === channels ? result.output : `its groups hold ${grouped} channels, and it names ${channels}`;
}
