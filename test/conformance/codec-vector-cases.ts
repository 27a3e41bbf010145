import type { ChannelSettings, Core, EncodedPayload, Lookahead } from "@lockstep/edge-sdk/core";
import { seededRandom } from "@lockstep/sim";

/** A stream of frames as the codec of wire version 1 codes it, from cold, as `protocol/vectors/codec/NAME.json` holds it. */
export interface CodecVector {
  readonly about: string;
  readonly channels: readonly ChannelSettings[];
  readonly frames: readonly CodecVectorFrame[];
}

/** One frame; samples have the shape (rows, channels), row-major. */
export interface CodecVectorFrame {
  readonly rows: number;
  readonly hasEvents: boolean;
  readonly hasLines: boolean;
  readonly payload: string;
  /** What was encoded: never what is expected of a decoder, only what its samples must be near. */
  readonly given: readonly number[];
  /** 0 ok, 1 invalid, 2 saturated; only in frames with events. */
  readonly statuses?: readonly number[];
  readonly decoded: readonly number[];
  /** Of both ends' state after the frame. */
  readonly stateHash: number;
}

interface Case {
  readonly name: string;
  readonly about: string;
  readonly channels: readonly ChannelSettings[];
  readonly lookahead: Lookahead;
  /** Rows of each frame, and whether statuses are coded in it. */
  readonly frames: readonly { readonly rows: number; readonly hasEvents?: boolean }[];
  readonly sample: (t: number, c: number, uniform: () => number) => number;
}

const INT32_MAX = 2 ** 31 - 1;

function plain(e: number, historyShift = 0): ChannelSettings {
  return { e, lattice: 1, historyShift };
}

const CASES: readonly Case[] = [
  {
    name: "one-channel",
    about: "a sine with noise, plain frames of several lengths",
    channels: [plain(40)],
    lookahead: "none",
    frames: [{ rows: 1 }, { rows: 60 }, { rows: 100 }, { rows: 7 }],
    sample: (t, _, uniform) => Math.round(3000 * Math.sin(t / 9) + 200 * uniform()),
  },
  {
    name: "six-channels-events",
    about: "six channels with missing and saturated samples",
    channels: [plain(10), plain(100, 2), plain(0, 7), plain(5), plain(50), plain(1, 3)],
    lookahead: "none",
    frames: [{ rows: 40, hasEvents: true }, { rows: 40 }, { rows: 40, hasEvents: true }],
    sample: (t, c, uniform) => Math.round((500 + 900 * c) * Math.sin(t / (4 + c) + c) + 30 * uniform()),
  },
  {
    name: "quiet",
    about: "steps with long rests: frames without a byte",
    channels: [plain(20), plain(30)],
    lookahead: "none",
    frames: Array.from({ length: 12 }, () => ({ rows: 20 })),
    sample: (t, c) => 1000 * ((t + 30 * c) >> 7) + 3 * c,
  },
  {
    name: "lines",
    about: "ramps and rests on lines, open ones across frames, one channel predicted",
    channels: [plain(25), plain(25), plain(8, 1)],
    lookahead: "programme",
    frames: [{ rows: 80 }, { rows: 80 }, { rows: 40, hasEvents: true }, { rows: 80 }, { rows: 80 }, { rows: 80 }],
    sample: (t, c, uniform) =>
      c === 2
        ? Math.round(2000 * Math.sin(t / 3) + 300 * uniform())
        : Math.round((c + 1) * 4 * (t < 150 ? t : t < 260 ? 300 - t : 40) + 20 * uniform()),
  },
  {
    name: "lattice",
    about: "a channel on a lattice of 50 between two that are on none, on lines",
    channels: [plain(60), { e: 80, lattice: 50, historyShift: 0 }, plain(80)],
    lookahead: "programme",
    frames: [{ rows: 60 }, { rows: 60 }, { rows: 30, hasEvents: true }, { rows: 60 }],
    sample: (t, c, uniform) =>
      c === 1 ? 50 * Math.round(t / 4 + 3 * uniform()) + 7 : Math.round(13 * t + 60 * uniform()),
  },
  {
    name: "lattice-plain",
    about: "a lossless channel on a lattice beside one that is on none",
    channels: [{ e: 30, lattice: 50, historyShift: 2 }, plain(3)],
    lookahead: "none",
    frames: [{ rows: 50 }, { rows: 50 }],
    sample: (t, c, uniform) =>
      c === 0
        ? 50 * Math.round(40 * Math.sin(t / 6) + 2 * uniform()) - 11
        : Math.round(90 * Math.sin(t / 4) + 9 * uniform()),
  },
  {
    name: "long-frame",
    about: "lines through a frame of two blocks, and on from it",
    channels: [plain(90)],
    lookahead: "programme",
    frames: [{ rows: 2100 }, { rows: 40 }],
    sample: (t, _, uniform) => Math.round(700 * Math.sin(t / 400) + 100 * uniform()),
  },
  {
    name: "three-channels",
    about: "channels that foretell each other",
    channels: [plain(6), plain(6), plain(6)],
    lookahead: "none",
    frames: [{ rows: 80 }, { rows: 80 }],
    sample: (t, c, uniform) => Math.round(900 * Math.sin(t / 7 + c / 5) + 300 * Math.sin(t / 2.3 + c) + 20 * uniform()),
  },
  {
    name: "five-channels-out-of-range",
    about: "signals that leave the range of their history, so that its base moves",
    channels: Array.from({ length: 5 }, () => plain(2)),
    lookahead: "none",
    frames: [{ rows: 60 }, { rows: 60 }],
    sample: (t, c, uniform) => Math.round((c - 2) * 31 * t + 8 * uniform()),
  },
  {
    name: "wide-smooth",
    about: "slow sines at a fine bound, whose histories take 32 bits",
    channels: [plain(100, 9), plain(10, 12)],
    lookahead: "none",
    frames: [{ rows: 120 }, { rows: 120 }],
    sample: (t, c) => Math.round(5e6 * Math.sin(t / 90 + c) + 1e6 * Math.sin(t / 31 + 2 * c)),
  },
  {
    name: "wide-by-one-of-seven",
    about: "one history shift beyond 2 among seven channels with missing samples",
    channels: Array.from({ length: 7 }, (_, c) => plain(4 + c, c === 5 ? 3 : c % 3)),
    lookahead: "none",
    frames: [{ rows: 40 }, { rows: 40, hasEvents: true }, { rows: 40 }],
    sample: (t, c, uniform) => Math.round((c === 5 ? 4000 : 500) * Math.sin(t / (6 + c) + c) + 40 * uniform()),
  },
  {
    name: "wide-five-channels-out-of-range",
    about: "wide histories that saturate and whose bases move",
    channels: Array.from({ length: 5 }, (_, c) => plain(2, 3 + c)),
    lookahead: "none",
    frames: [{ rows: 60 }, { rows: 60 }],
    sample: (t, c, uniform) =>
      Math.round((c - 2) * 2 ** c * 150 * t + (t % 50 === 49 ? (c % 2 ? 1e9 : -2e9) : 8 * uniform())),
  },
  {
    name: "wide-lines",
    about: "lines beside predicted channels, with wide histories",
    channels: [plain(25, 6), plain(25, 3), plain(8, 5)],
    lookahead: "programme",
    frames: [{ rows: 80 }, { rows: 80 }, { rows: 40, hasEvents: true }, { rows: 80 }],
    sample: (t, c, uniform) =>
      c === 2
        ? Math.round(20_000 * Math.sin(t / 3) + 300 * uniform())
        : Math.round((c + 1) * 400 * (t < 150 ? t : 300 - t) + 20 * uniform()),
  },
  {
    name: "noise-over-int32",
    about: "lossless noise over all of int32: bases, escapes, saturation",
    channels: [plain(0, 25), plain(2, 24), plain(1000, 15)],
    lookahead: "none",
    frames: [{ rows: 20 }, { rows: 20 }],
    sample: (t, _, uniform) => (t % 9 === 4 ? INT32_MAX : Math.floor((uniform() - 0.5) * 2 ** 32)),
  },
  {
    name: "sixteen-channels",
    about: "as many channels as there may be",
    channels: Array.from({ length: 16 }, (_, c) => plain(3 * c + 2)),
    lookahead: "none",
    frames: [{ rows: 12 }, { rows: 12 }],
    sample: (t, c, uniform) => Math.round(400 * Math.sin(t / 5 + c / 3) + 20 * uniform()),
  },
];

/** Every vector by name, made by this core. */
export function codecVectors(core: Core): ReadonlyMap<string, CodecVector> {
  return new Map(
    CASES.map((one) => [one.name, { about: one.about, channels: one.channels, frames: framesOf(core, one) }]),
  );
}

/** Every vector without a lookahead, made by this core. */
export function plainCodecVectors(core: Core): ReadonlyMap<string, CodecVector> {
  const plainOnes = CASES.filter(({ lookahead }) => lookahead === "none");
  return new Map(
    plainOnes.map((one) => [one.name, { about: one.about, channels: one.channels, frames: framesOf(core, one) }]),
  );
}

function framesOf(core: Core, { name, channels, lookahead, frames, sample }: Case): CodecVectorFrame[] {
  const random = seededRandom(1).fork(name);
  const config = core.configure(channels);
  const encoder = core.createEncoder(config, { lookahead });
  const decoder = core.createDecoder(config);
  let t = 0;
  return frames.map(({ rows, hasEvents = false }) => {
    const given = Int32Array.from({ length: rows * channels.length }, (_, i) => {
      return sample(t + Math.floor(i / channels.length), i % channels.length, () => random.uniform());
    });
    t += rows;
    const statuses = hasEvents
      ? Uint8Array.from(given, (_, i) => (i % 17 === 3 ? 1 : i % 23 === 5 ? 2 : 0))
      : undefined;
    const frame: EncodedPayload = encoder.encode(given, statuses);
    const { samples } = decoder.decode(frame.payload, rows, frame);
    return {
      rows,
      hasEvents: frame.hasEvents,
      hasLines: frame.hasLines,
      payload: Buffer.from(frame.payload).toString("hex"),
      given: [...given],
      ...(statuses === undefined ? {} : { statuses: [...statuses] }),
      decoded: [...samples],
      stateHash: decoder.hash(),
    };
  });
}
