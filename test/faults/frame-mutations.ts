import { type BirthFrame, decodeFrame, encodeFrame, type Frame, murmur3 } from "@lockstep/protocol";
import type { SeededRandom } from "@lockstep/sim";

/** What mutations are made of. */
export interface MutationSources {
  /** Sequenced frames of the device under attack, the newest last. */
  readonly frames: readonly Uint8Array[];
  readonly birth: BirthFrame;
  /** A frame of another device, each one once; undefined when there is none left. */
  takeForeign(): Uint8Array | undefined;
}

type Mutation = (bytes: Uint8Array, sources: MutationSources, random: SeededRandom) => Uint8Array;

const TOO_LONG = 65_536;

/** Every way in which a message is spoilt, by name; none of them gives a message that says the same as `bytes`. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "bit flips": (bytes, _, random) => {
    const spoilt = bytes.slice();
    for (let flips = 1 + below(random, 3); flips > 0; flips -= 1) {
      const bit = below(random, 8 * bytes.length);
      spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
    // Three flips may cancel one another out but for one; two may cancel altogether.
    return Buffer.compare(spoilt, bytes) === 0 ? bytes.slice(1) : spoilt;
  },
  truncation: (bytes, _, random) => bytes.slice(0, 1 + below(random, bytes.length - 1)),
  extension: (bytes, _, random) => Uint8Array.from([...bytes, ...randomBytes(random, 1 + below(random, 8))]),
  splice: (bytes, { frames }, random) => {
    const other = pick(frames, random) ?? bytes;
    const at = 1 + below(random, bytes.length - 1);
    const spliced = Uint8Array.from([...bytes.slice(0, at), ...other.slice(Math.min(at, other.length - 1))]);
    return Buffer.compare(spliced, bytes) === 0 ? bytes.slice(0, at) : spliced;
  },
  "replay of an own frame": (bytes, { frames }, random) => pick(frames.slice(0, -1), random) ?? bytes.slice(1),
  "replay from another device": (bytes, { takeForeign }) => takeForeign() ?? bytes.slice(1),
  "another version": (bytes) => {
    const spoilt = bytes.slice();
    // The head of a frame is its second byte, 16 … 23 for kinds that a device sends often; version 0 had 0 … 7.
    spoilt[1] = (spoilt[1] ?? 0) & 7;
    return isSequencedKind(bytes) ? spoilt : reseal(spoilt);
  },
  "another model": (_, { birth }, random) =>
    encodeFrame({ ...birth, nonce: random.uint32(), model: Buffer.from(randomBytes(random, 32)).toString("hex") }),
  "another epoch": (bytes, _, random) => changed(bytes, random),
  oversize: (bytes) => Uint8Array.from({ length: TOO_LONG }, (_, i) => bytes[i] ?? 0),
  "longer integer form": (bytes) =>
    // The array's header, 0x80 + n, in two bytes.
    Uint8Array.from([0x98, (bytes[0] ?? 0) & 0x1f, ...bytes.slice(1)]),
  "indefinite length": (bytes) => Uint8Array.from([0x9f, ...bytes.slice(1), 0xff]),
  "map for an array": (bytes) => bytes.with(0, 0xa0 | ((bytes[0] ?? 0) & 0x0f)),
  "wrong direction": (_, { birth }, random) =>
    encodeFrame({ kind: "ack", nonce: birth.nonce, epoch: 1, through: below(random, 1_000), missing: [] }),
  "status of another boot": (_, { birth }, random) =>
    encodeFrame({
      kind: "status",
      nonce: (birth.nonce ^ (1 + below(random, 1_000))) >>> 0,
      epoch: 1,
      oldest: 100_000,
      next: 200_000,
      evicted: 10 ** 6,
      ringFill: 1_000,
      timeUs: 0,
    }),
  noise: (_, __, random) => randomBytes(random, 1 + below(random, 100)),
};

function changed(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const frame: Frame = decodeFrame(bytes);
  if (frame.kind === "keyframe") return encodeFrame({ ...frame, epoch: frame.epoch + 1 + below(random, 1_000) });
  if (frame.kind !== "residual" && frame.kind !== "heartbeat") return bytes.slice(1);
  // Other low bits of the epoch, at the same place of the sequence.
  return encodeFrame({ ...frame, position: frame.position ^ ((1 + below(random, 15)) << 12) });
}

/** A message that is not a sequenced frame, with the seal that its bytes must have. */
function reseal(bytes: Uint8Array): Uint8Array {
  const sealed = bytes.slice();
  const content = sealed.length - 4;
  new DataView(sealed.buffer).setUint32(content, murmur3(0, sealed.subarray(0, content - 1)));
  return sealed;
}

function isSequencedKind(bytes: Uint8Array): boolean {
  return ((bytes[1] ?? 0) & 0x0f) < 3;
}

function randomBytes(random: SeededRandom, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.uint32() & 0xff);
}

function pick(from: readonly Uint8Array[], random: SeededRandom): Uint8Array | undefined {
  return from[below(random, from.length)];
}

export function below(random: SeededRandom, limit: number): number {
  return Math.floor(limit * random.uniform());
}
