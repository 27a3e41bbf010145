import {
  type BirthFrame,
  birthHash,
  type ChannelConfig,
  type Frame,
  type HeartbeatFrame,
  type KeyframeFrame,
  type ResidualFrame,
  type SequencedFrame,
  type StatusFrame,
} from "../src/index.ts";
import { FLASH_CASES } from "./flash-cases.ts";
import { JOB_CASES } from "./job-cases.ts";

/** The place and state that a sequenced frame's seal proves. */
export interface SealedWith {
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly stateHash: number;
}

/** One golden frame, its field values written by hand. */
export interface FrameCase {
  readonly name: string;
  readonly about: string;
  /** The seal of a sequenced one is 0 here: the generator computes it from `sealedWith`. */
  readonly frame: Frame;
  readonly sealedWith?: SealedWith;
}

const U16 = 0xffff;
const U32 = 0xffff_ffff;
const U53 = Number.MAX_SAFE_INTEGER;
const LONGEST_PAYLOAD_BYTES = 65_535 - 23; // around it a residual with its longest numbers needs 23

const MODEL = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const PLAIN_CHANNEL: ChannelConfig = {
  name: "x",
  unit: "",
  e: 0,
  lattice: 1,
  historyShift: 0,
  offset: 0,
  mantissa: 1,
  exponent: 0,
  epsMantissa: 0,
  epsExponent: 0,
};

const LARGEST_CHANNEL: ChannelConfig = {
  name: "a-name-of-thirty-two-bytes-in-al",
  unit: "m·s⁻²·Hz-½",
  e: 2 ** 30 - 1,
  lattice: U32,
  historyShift: 25,
  offset: U53,
  mantissa: 2 ** 31 - 1,
  exponent: 200,
  epsMantissa: U53,
  epsExponent: 971,
};

/** The smallest birth there is; refused cases are made from it. */
export const SHORTEST_BIRTH: BirthFrame = {
  kind: "birth",
  device: "d",
  nonce: 0,
  epoch: 0,
  model: MODEL,
  frameSamples: 1,
  periodNs: 1,
  silenceMs: 1,
  ringBytes: 0,
  firmware: "",
  channels: [PLAIN_CHANNEL],
};

const LARGEST_BIRTH: BirthFrame = {
  kind: "birth",
  device: "A-device_of-64-bytes-0123456789-0123456789-0123456789-0123456789",
  nonce: U32,
  epoch: U32,
  model: "ff".repeat(32),
  frameSamples: U16,
  periodNs: U53,
  silenceMs: U32,
  ringBytes: U32,
  firmware: "firmware of thirty-two bytes, ok",
  channels: Array.from({ length: 16 }, (_, c) => ({
    ...LARGEST_CHANNEL,
    name: LARGEST_CHANNEL.name.slice(0, 31) + c.toString(16),
    offset: c % 2 === 0 ? U53 : -U53,
    exponent: c % 2 === 0 ? 200 : -200,
    epsExponent: c % 2 === 0 ? 971 : -1100,
  })),
};

const UNICODE_BIRTH: BirthFrame = {
  ...SHORTEST_BIRTH,
  device: "Kessel-7_b",
  firmware: "ünïcode 🜁",
  channels: [
    { ...PLAIN_CHANNEL, name: "Temperatur 1", unit: "°C", offset: -27_315, mantissa: 1_374_389_535, exponent: -37 },
    { ...PLAIN_CHANNEL, name: "力", unit: "㎏·m/s²", e: 23, lattice: 24, epsMantissa: 1, epsExponent: -7 },
    { ...PLAIN_CHANNEL, name: "\ufeff🛰", unit: "µΩ", e: 256, lattice: 65_536, offset: -257, historyShift: 9 },
  ],
};

const ROTOR_BIRTH: BirthFrame = {
  kind: "birth",
  device: "rotor-1",
  nonce: 0x1234_5678,
  epoch: 1,
  model: MODEL,
  frameSamples: 100,
  periodNs: 10_000_000,
  silenceMs: 30_000,
  ringBytes: 65_536,
  firmware: "sim 0.1.0",
  channels: ["ax", "ay", "az", "gx", "gy", "gz"].map((name) => ({
    name,
    unit: "rad",
    e: 419_430,
    lattice: 1,
    historyShift: 0,
    offset: 0,
    mantissa: 1,
    exponent: -23,
    epsMantissa: 3_602_879_701_896_397,
    epsExponent: -56,
  })),
};

/** Every golden frame that is accepted. */
export const FRAME_CASES: readonly FrameCase[] = [
  sequenced("residual-shortest", "zeros throughout", residual(0, 0, 0), at(16, 0, 0)),
  sequenced("residual-typical", "a second of six channels", residual(4097, 0, 44), at(1, 1, 0xdead_beef)),
  sequenced(
    "residual-largest-numbers",
    "every number at its limit, statuses coded",
    {
      kind: "residual",
      position: U16,
      quiet: 131_071,
      samples: 2 ** 30 - 1,
      hasEvents: true,
      hasLines: false,
      payload: payload(3),
      seal: 0,
    },
    at(U32, U32, U32),
  ),
  sequenced(
    "residual-longest",
    "65,535 bytes",
    {
      kind: "residual",
      position: U16,
      quiet: 131_071,
      samples: 2 ** 30 - 1,
      hasEvents: false,
      hasLines: true,
      payload: payload(LONGEST_PAYLOAD_BYTES),
      seal: 0,
    },
    at(15, 4095, 1),
  ),
  ...[23, 24, 255, 256, 65_535, 65_536].map((quiet) =>
    sequenced(
      `residual-quiet-${quiet}`,
      "a number at the edge of an integer form",
      residual(4096 + 7, quiet, 1),
      at(1, 7, quiet),
    ),
  ),
  ...[23, 24, 255, 256].map((bytes) =>
    sequenced(
      `residual-payload-${bytes}`,
      "a length at the edge of a header form",
      residual(8192 + 4095, 0, bytes),
      at(18, 8191, bytes),
    ),
  ),
  sequenced("keyframe-shortest", "zeros throughout", keyframe(1, 0, 0, 0), at(1, 0, 0)),
  sequenced(
    "keyframe-typical",
    "of the rotor's birth",
    { ...keyframe(1, 0, 1_700_000_000_000_000, 120), birthHash: birthHash(ROTOR_BIRTH) },
    at(1, 0, 0x0102_0304),
  ),
  sequenced(
    "keyframe-largest-numbers",
    "every number at its limit, all lattices in effect",
    {
      kind: "keyframe",
      epoch: U32,
      seq: U32,
      birthHash: "ff".repeat(8),
      timeUs: U53,
      lattices: U16,
      samples: 2 ** 30 - 1,
      hasEvents: true,
      hasLines: false,
      payload: payload(5),
      seal: 0,
    },
    at(U32, U32, U32),
  ),
  ...[U32, U32 + 1].map((timeUs) =>
    sequenced(
      `keyframe-time-${timeUs}`,
      "a number at the edge of the 64-bit form",
      keyframe(2, 24, timeUs, 1),
      at(2, 24, 77),
    ),
  ),
  sequenced(
    "residual-lines",
    "a minute of one channel on lines",
    { ...residual(4098, 600, 7), samples: 60, hasLines: true },
    at(1, 2, 0xfeed_f00d),
  ),
  sequenced("heartbeat-shortest", "zeros throughout", heartbeat(0, 0, 0, 0), at(32, 4096, 0)),
  sequenced("heartbeat-typical", "after 30 s of quiet", heartbeat(4099, 3000, 31_000_000, 17), at(1, 3, 99)),
  sequenced(
    "heartbeat-largest-numbers",
    "every number at its limit",
    heartbeat(U16, 131_071, U53, 1000),
    at(U32, U32, U32),
  ),

  plain("fragment-shortest", "zeros and one byte", { kind: "fragment", id: 0, index: 0, count: 2, chunk: payload(1) }),
  plain("fragment-of-51-bytes", "fills a LoRaWAN payload", {
    kind: "fragment",
    id: 4097,
    index: 2,
    count: 3,
    chunk: payload(42),
  }),
  plain("fragment-largest-numbers", "every number at its limit", {
    kind: "fragment",
    id: 131_071,
    index: 254,
    count: 255,
    chunk: payload(256),
  }),

  plain("ack-shortest", "nothing confirmed, nothing missing", {
    kind: "ack",
    nonce: 0,
    epoch: 1,
    through: 0,
    missing: [],
  }),
  plain("ack-one-missing", "asks for two frames", {
    kind: "ack",
    nonce: 0x1234_5678,
    epoch: 1,
    through: 100,
    missing: [{ from: 100, count: 2 }],
  }),
  plain("ack-eight-missing", "as many ranges as fit, the first two touching", {
    kind: "ack",
    nonce: U32,
    epoch: 300,
    through: 23,
    missing: [23, 24, 255, 256, 65_535, 70_000, 80_000, 90_000].map((from) => ({ from, count: 1 })),
  }),
  plain("ack-largest-numbers", "the last sequence number missing", {
    kind: "ack",
    nonce: U32,
    epoch: U32,
    through: U32,
    missing: [{ from: U32, count: 1 }],
  }),
  plain("ack-window-missing", "one range of all that can be in flight", {
    kind: "ack",
    nonce: 1,
    epoch: 1,
    through: 1,
    missing: [{ from: 1, count: 2048 }],
  }),

  plain("status-shortest", "an empty ring", status(0, 0, 0, 0, 0)),
  plain("status-typical", "after a drop", { ...status(512, 700, 20_000, 873, 61_000_000), nonce: 0x1234_5678 }),
  plain("status-largest-numbers", "every number at its limit", {
    ...status(U32, U32, U53, 1000, U53),
    nonce: U32,
    epoch: U32,
  }),

  plain("resync-state-mismatch", "reason 1", { kind: "resync", nonce: 0, epoch: 1, seq: 0, reason: "state-mismatch" }),
  plain("resync-unknown-birth", "reason 2", { kind: "resync", nonce: 9, epoch: 9, seq: 999, reason: "unknown-birth" }),
  plain("resync-frames-lost", "reason 3", { kind: "resync", nonce: U32, epoch: U32, seq: U32, reason: "frames-lost" }),

  plain("birth-shortest", "one channel, asks for an epoch", SHORTEST_BIRTH),
  plain("birth-rotor", "six channels in Q8.23, eps 0.05", ROTOR_BIRTH),
  plain("birth-unicode", "names and units beyond ASCII, a byte order mark among them", UNICODE_BIRTH),
  plain("birth-largest", "sixteen channels, every number and text at its limit", LARGEST_BIRTH),

  plain("welcome-shortest", "no alias", {
    kind: "welcome",
    nonce: 0,
    epoch: 1,
    through: 0,
    alias: "",
    ackAgeMs: 0,
    timeUs: 0,
  }),
  plain("welcome-typical", "grants an epoch and an alias", {
    kind: "welcome",
    nonce: 0x1234_5678,
    epoch: 7,
    through: 0,
    alias: "a1",
    ackAgeMs: 1000,
    timeUs: 1_700_000_000_000_000,
  }),
  plain("welcome-largest-numbers", "every number and the alias at its limit", {
    kind: "welcome",
    nonce: U32,
    epoch: U32,
    through: U32,
    alias: "Az_-09",
    ackAgeMs: 86_400_000,
    timeUs: U53,
  }),

  plain("refusal-unsupported-version", "reason 1", { kind: "refusal", nonce: 0, reason: "unsupported-version" }),
  plain("refusal-unknown-model", "reason 2", { kind: "refusal", nonce: 23, reason: "unknown-model" }),
  plain("refusal-bad-birth", "reason 3", { kind: "refusal", nonce: 24, reason: "bad-birth" }),
  plain("refusal-unknown-device", "reason 4", { kind: "refusal", nonce: 65_536, reason: "unknown-device" }),
  plain("refusal-conflict", "reason 5", { kind: "refusal", nonce: U32, reason: "conflict" }),

  plain("presence-online", "connected", { kind: "presence", nonce: 0x1234_5678, online: true }),
  plain("presence-offline", "the last will", { kind: "presence", nonce: 0x1234_5678, online: false }),

  ...FLASH_CASES,
  ...JOB_CASES,
];

function plain(name: string, about: string, frame: Frame): FrameCase {
  return { name, about, frame };
}

function sequenced(name: string, about: string, frame: SequencedFrame, sealedWith: SealedWith): FrameCase {
  return { name, about, frame, sealedWith };
}

function at(epoch: number, seq: number, stateHash: number): SealedWith {
  return { device: "vector-1", epoch, seq, stateHash };
}

function residual(position: number, quiet: number, payloadBytes: number): ResidualFrame {
  return {
    kind: "residual",
    position,
    quiet,
    samples: 0,
    hasEvents: false,
    hasLines: false,
    payload: payload(payloadBytes),
    seal: 0,
  };
}

function keyframe(epoch: number, seq: number, timeUs: number, payloadBytes: number): KeyframeFrame {
  return {
    kind: "keyframe",
    epoch,
    seq,
    birthHash: "0000000000000000",
    timeUs,
    lattices: 0,
    samples: 0,
    hasEvents: false,
    hasLines: false,
    payload: payload(payloadBytes),
    seal: 0,
  };
}

function heartbeat(position: number, quiet: number, timeUs: number, ringFill: number): HeartbeatFrame {
  return { kind: "heartbeat", position, quiet, timeUs, ringFill, seal: 0 };
}

function status(oldest: number, next: number, evicted: number, ringFill: number, timeUs: number): StatusFrame {
  return { kind: "status", nonce: 0, epoch: 1, oldest, next, evicted, ringFill, timeUs };
}

/** Bytes that look like a codec's: the high bytes of a linear congruential sequence, always from the same seed. */
function payload(bytes: number): Uint8Array {
  let state = 2026;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}
