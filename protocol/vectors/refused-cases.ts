import { encodeFrame, type Frame, type FrameErrorCode } from "../src/index.ts";
import { REFUSED_FLASH_CASES, type RefusedFlashCase } from "./flash-cases.ts";
import { FRAME_CASES, SHORTEST_BIRTH } from "./frame-cases.ts";
import { REFUSED_JOB_CASES, type RefusedJobCase } from "./refused-job-cases.ts";

/** Bytes that are no frame, and why. */
export interface RefusedCase {
  readonly name: string;
  readonly about: string;
  readonly bytes: Uint8Array;
  readonly code: FrameErrorCode;
  /** Where the element stands that is refused; left out where the bytes around it are not written out here. */
  readonly offset?: number;
}

const SEAL = "4400000000";
/** Array of six, kind 0, position 0, quiet 0, span 0, empty payload: the smallest residual, without its seal. */
const RESIDUAL = "86 10 00 00 00 40";
const X_CHANNEL = "8a 6178 60 00 01 00 00 01 00 00 00";

/** Every golden sequence of bytes that is refused. */
export const REFUSED_CASES: readonly RefusedCase[] = [
  refused("empty", "no byte at all", "truncated", 0, ""),
  refused("not-an-array", "an integer", "wrong-shape", 0, "00"),
  refused("array-empty", "no head", "wrong-shape", 0, "80"),
  refused("array-map", "a map", "not-canonical", 0, "a0"),
  refused(
    "array-indefinite",
    "an array that ends by a break",
    "not-canonical",
    0,
    `9f ${RESIDUAL.slice(3)} ${SEAL} ff`,
  ),
  refused(
    "array-long-form",
    "a length in two bytes where one does",
    "not-canonical",
    0,
    `98 06 ${RESIDUAL.slice(3)} ${SEAL}`,
  ),
  refused("array-of-2-to-the-32", "claims what cannot be there", "wrong-shape", 0, "9b 0000000100000000 10"),
  refused("array-tagged", "a tag before the frame", "not-canonical", 0, `d9 d9f7 ${RESIDUAL} ${SEAL}`),
  refused("array-nested", "arrays within arrays", "wrong-shape", 1, "81".repeat(1000)),

  refused("head-version-0", "from before the codec was frozen", "unsupported-version", 1, `86 00 00 00 00 40 ${SEAL}`),
  refused("head-version-2", "of the next version", "unsupported-version", 1, `86 1820 00 00 00 40 ${SEAL}`),
  refused("head-version-255", "of a version far away", "unsupported-version", 1, `86 19 0ff0 00 00 00 40 ${SEAL}`),
  refused("head-kind-11", "reserved for flash", "unknown-kind", 1, "82 181b 00"),
  refused("head-kind-15", "spare", "unknown-kind", 1, "82 181f 00"),
  refused("head-long-form", "16 in two bytes", "not-canonical", 1, `86 1810 00 00 00 40 ${SEAL}`),
  refused("head-negative", "−1", "out-of-range", 1, `86 20 00 00 00 40 ${SEAL}`),
  refused("head-text", "a text", "wrong-shape", 1, `86 60 00 00 00 40 ${SEAL}`),

  refused("residual-one-element-less", "no seal", "wrong-shape", 0, "85 10 00 00 00 40"),
  refused(
    "residual-one-element-more",
    "something after the seal",
    "wrong-shape",
    0,
    `87 ${RESIDUAL.slice(3)} ${SEAL} 00`,
  ),
  refused("residual-trailing-byte", "a byte after the frame", "trailing-bytes", 11, `${RESIDUAL} ${SEAL} 00`),
  refused("residual-twice", "two frames in one", "trailing-bytes", 11, `${RESIDUAL} ${SEAL} ${RESIDUAL} ${SEAL}`),
  refused("residual-truncated-number", "ends inside quiet", "truncated", 3, "86 10 00 19 01"),
  refused("residual-truncated-payload", "ends inside the payload", "truncated", 5, "86 10 00 00 00 43 0102"),
  refused("residual-truncated-seal", "ends inside the seal", "truncated", 6, `${RESIDUAL} 44 000000`),
  refused("residual-position-65536", "beyond u16", "out-of-range", 2, `86 10 1a 00010000 00 00 40 ${SEAL}`),
  refused("residual-position-negative", "−1", "out-of-range", 2, `86 10 20 00 00 40 ${SEAL}`),
  refused("residual-position-float", "1.0", "not-canonical", 2, `86 10 f93c00 00 00 40 ${SEAL}`),
  refused("residual-position-null", "null", "not-canonical", 2, `86 10 f6 00 00 40 ${SEAL}`),
  refused("residual-position-bytes", "a byte string", "wrong-shape", 2, `86 10 40 00 00 40 ${SEAL}`),
  refused("residual-position-bignum", "tag 2", "not-canonical", 2, `86 10 c2 41 01 00 00 40 ${SEAL}`),
  refused("residual-quiet-131072", "one too many", "out-of-range", 3, `86 10 00 1a00020000 00 40 ${SEAL}`),
  refused("residual-quiet-in-2-bytes", "23 could be one", "not-canonical", 3, `86 10 00 1817 00 40 ${SEAL}`),
  refused("residual-quiet-in-3-bytes", "255 could be two", "not-canonical", 3, `86 10 00 1900ff 00 40 ${SEAL}`),
  refused(
    "residual-quiet-in-5-bytes",
    "65,535 could be three",
    "not-canonical",
    3,
    `86 10 00 1a0000ffff 00 40 ${SEAL}`,
  ),
  refused(
    "residual-quiet-in-9-bytes",
    "2³²−1 could be five",
    "not-canonical",
    3,
    `86 10 00 1b00000000ffffffff 00 40 ${SEAL}`,
  ),
  refused("residual-quiet-2-to-the-32", "beyond u32", "out-of-range", 3, `86 10 00 1b0000000100000000 00 40 ${SEAL}`),
  refused("residual-quiet-reserved-form", "additional information 28", "not-canonical", 3, `86 10 00 1c 00 40 ${SEAL}`),
  refused("residual-payload-text", "a text", "wrong-shape", 5, `86 10 00 00 00 60 ${SEAL}`),
  refused("residual-payload-indefinite", "in pieces", "not-canonical", 5, `86 10 00 00 00 5f 4101 ff ${SEAL}`),
  refused("residual-payload-long-form", "length 0 in two bytes", "not-canonical", 5, `86 10 00 00 00 5800 ${SEAL}`),
  refused("residual-payload-of-65535", "claims what is not there", "truncated", 5, `86 10 00 00 00 59ffff ${SEAL}`),
  refused(
    "residual-payload-of-2-to-the-32",
    "claims what no frame holds",
    "out-of-range",
    5,
    `86 10 00 00 00 5b0000000100000000 ${SEAL}`,
  ),
  refused("residual-span-3", "events beside lines", "out-of-range", 4, `86 10 00 00 03 40 ${SEAL}`),
  refused(
    "keyframe-span-7",
    "events beside lines",
    "out-of-range",
    15,
    `89 11 01 00 48${"00".repeat(8)} 00 00 07 40 ${SEAL}`,
  ),
  refused("residual-seal-of-3", "too short", "out-of-range", 6, `${RESIDUAL} 43 000000`),
  refused("residual-seal-of-12", "with a MAC: reserved", "out-of-range", 6, `${RESIDUAL} 4c ${"00".repeat(12)}`),
  refused("residual-seal-number", "an integer", "wrong-shape", 6, `${RESIDUAL} 00`),

  refused(
    "keyframe-epoch-0",
    "epochs start at 1",
    "out-of-range",
    2,
    `89 11 00 00 48${"00".repeat(8)} 00 00 00 40 ${SEAL}`,
  ),
  refused("keyframe-hash-of-7", "too short", "out-of-range", 4, `89 11 01 00 47${"00".repeat(7)} 00 00 00 40 ${SEAL}`),
  refused(
    "keyframe-time-2-to-the-53",
    "beyond u53",
    "out-of-range",
    13,
    `89 11 01 00 48${"00".repeat(8)} 1b0020000000000000 00 00 40 ${SEAL}`,
  ),
  refused(
    "keyframe-time-2-to-the-64",
    "the largest CBOR integer",
    "out-of-range",
    13,
    `89 11 01 00 48${"00".repeat(8)} 1bffffffffffffffff 00 00 40 ${SEAL}`,
  ),
  refused(
    "keyframe-lattices-65536",
    "a seventeenth channel",
    "out-of-range",
    14,
    `89 11 01 00 48${"00".repeat(8)} 00 1a00010000 00 40 ${SEAL}`,
  ),
  refused("heartbeat-ring-fill-1001", "more than full", "out-of-range", 5, `86 12 00 00 00 1903e9 ${SEAL}`),
  refused("fragment-of-1", "nothing to put together", "out-of-range", 4, "85 13 00 00 01 4100"),
  refused("fragment-index-is-count", "one too far", "out-of-range", 3, "85 13 00 02 02 4100"),
  refused("fragment-id-131072", "beyond 65,536 + 65,535", "out-of-range", 2, "85 13 1a00020000 00 02 4100"),
  refused("fragment-empty", "no chunk", "out-of-range", 5, "85 13 00 00 02 40"),

  refused("ack-epoch-0", "epochs start at 1", "out-of-range", 3, `86 14 00 00 00 80 ${SEAL}`),
  refused("ack-missing-odd", "half a pair", "wrong-shape", 5, `86 14 00 01 00 81 00 ${SEAL}`),
  refused(
    "ack-missing-nine",
    "more than eight ranges",
    "out-of-range",
    5,
    `86 14 00 01 00 92 ${"0001".repeat(9)} ${SEAL}`,
  ),
  refused("ack-missing-nested", "arrays within arrays", "wrong-shape", 6, `86 14 00 01 00 82 ${"82".repeat(1000)}`),
  refused(
    "ack-missing-of-2-to-the-32",
    "claims what cannot be there",
    "out-of-range",
    5,
    "86 14 00 01 00 9b0000000100000000",
  ),
  refused(
    "ack-missing-below-through",
    "confirmed and missing at once",
    "out-of-range",
    6,
    `86 14 00 01 05 82 04 01 ${SEAL}`,
  ),
  refused("ack-missing-overlap", "a frame asked for twice", "out-of-range", 8, `86 14 00 01 00 84 00 03 02 01 ${SEAL}`),
  refused("ack-missing-empty-range", "of no frames", "out-of-range", 7, `86 14 00 01 00 82 00 00 ${SEAL}`),
  refused("ack-missing-2049", "more than can be in flight", "out-of-range", 7, `86 14 00 01 00 82 00 190801 ${SEAL}`),
  refused(
    "ack-missing-past-the-end",
    "beyond the last seq",
    "out-of-range",
    6,
    `86 14 00 01 00 82 1affffffff 02 ${SEAL}`,
  ),
  refused(
    "status-next-below-oldest",
    "holds less than nothing",
    "out-of-range",
    5,
    `89 15 00 01 02 01 00 00 00 ${SEAL}`,
  ),
  refused("status-epoch-0", "epochs start at 1", "out-of-range", 3, `89 15 00 00 00 00 00 00 00 ${SEAL}`),
  refused("resync-reason-0", "reasons start at 1", "out-of-range", 5, `86 16 00 01 00 00 ${SEAL}`),
  refused("resync-reason-4", "no such reason", "out-of-range", 5, `86 16 00 01 00 04 ${SEAL}`),
  refused("welcome-epoch-0", "grants nothing", "out-of-range", 4, `88 1818 00 00 00 60 00 00 ${SEAL}`),
  refused(
    "welcome-alias-of-7",
    "a topic of nine bytes",
    "out-of-range",
    6,
    `88 1818 00 01 00 67 61616161616161 00 00 ${SEAL}`,
  ),
  refused(
    "welcome-alias-slash",
    "a topic of three levels",
    "out-of-range",
    6,
    `88 1818 00 01 00 63 612f62 00 00 ${SEAL}`,
  ),
  refused("refusal-reason-6", "no such reason", "out-of-range", 4, `84 1819 00 06 ${SEAL}`),
  refused("presence-online-2", "neither 0 nor 1", "out-of-range", 4, `84 181a 00 02 ${SEAL}`),
  refused("presence-online-true", "a simple value", "not-canonical", 4, `84 181a 00 f5 ${SEAL}`),
  refused("presence-seal-of-zeros", "not the checksum", "bad-seal", 5, `84 181a 00 01 ${SEAL}`),

  ...FRAME_CASES.filter(({ name, sealedWith }) => name.endsWith("-shortest") && sealedWith === undefined)
    .filter(({ frame }) => frame.kind !== "fragment")
    .map(({ frame }) => lastBitFlipped(frame)),

  birth("device-empty", "nobody", "out-of-range", "6164", "60"),
  birth("device-slash", "not a topic level", "out-of-range", "6164", "612f"),
  birth("device-of-65", "too long", "out-of-range", "6164", `7841${"64".repeat(65)}`),
  birth("device-bytes", "a byte string", "wrong-shape", "6164", "4164"),
  birth("model-of-31", "too short for a SHA-256", "out-of-range", "58200001", "581f01"),
  birth("period-0", "all at once", "out-of-range", "1d1e1f 01 01", "1d1e1f 01 00"),
  birth("firmware-of-33", "too long", "out-of-range", "60 81 8a", `7821${"61".repeat(33)} 81 8a`),
  birth("channels-none", "nothing to say", "out-of-range", `81 ${X_CHANNEL}`, "80"),
  birth("channels-seventeen", "one too many", "out-of-range", `81 ${X_CHANNEL}`, `91 ${X_CHANNEL.repeat(17)}`),
  birth("channels-same-name", "which one?", "out-of-range", `81 ${X_CHANNEL}`, `82 ${X_CHANNEL} ${X_CHANNEL}`),
  channel("of-9", "an element is missing", "wrong-shape", "89 6178 60 00 01 00 00 01 00 00"),
  channel("name-empty", "no name", "out-of-range", "8a 60 60 00 01 00 00 01 00 00 00"),
  channel("name-control", "U+0007", "out-of-range", "8a 6107 60 00 01 00 00 01 00 00 00"),
  channel(
    "name-next-line",
    "U+0085, well-formed but a control character",
    "out-of-range",
    "8a 62c285 60 00 01 00 00 01 00 00 00",
  ),
  channel("name-ill-formed", "a lone continuation byte", "out-of-range", "8a 6180 60 00 01 00 00 01 00 00 00"),
  channel("name-overlong", "a slash in two bytes", "out-of-range", "8a 62c0af 60 00 01 00 00 01 00 00 00"),
  channel("name-surrogate", "half of a pair", "out-of-range", "8a 63eda080 60 00 01 00 00 01 00 00 00"),
  channel("unit-of-17", "too long", "out-of-range", `8a 6178 71${"61".repeat(17)} 00 01 00 00 01 00 00 00`),
  channel("e-2-to-the-30", "beyond the codec", "out-of-range", "8a 6178 60 1a40000000 01 00 00 01 00 00 00"),
  channel("lattice-0", "no lattice", "out-of-range", "8a 6178 60 00 00 00 00 01 00 00 00"),
  channel("history-shift-26", "one too many", "out-of-range", "8a 6178 60 00 01 18 1a 00 01 00 00 00"),
  channel(
    "offset-minus-2-to-the-53",
    "beyond i53",
    "out-of-range",
    "8a 6178 60 00 01 00 3b001fffffffffffff 01 00 00 00",
  ),
  channel("offset-long-form", "−1 in two bytes", "not-canonical", "8a 6178 60 00 01 00 3800 01 00 00 00"),
  channel("mantissa-0", "every value the same", "out-of-range", "8a 6178 60 00 01 00 00 00 00 00 00"),
  channel("exponent-201", "too large a unit", "out-of-range", "8a 6178 60 00 01 00 00 01 18c9 00 00"),
  channel("eps-negative", "a bound below zero", "out-of-range", "8a 6178 60 00 01 00 00 01 00 20 00"),
  channel("eps-exponent-972", "beyond float64", "out-of-range", "8a 6178 60 00 01 00 00 01 00 00 1903cc"),

  ...REFUSED_FLASH_CASES.map(spoilt),
  ...REFUSED_JOB_CASES.map(spoilt),
];

function refused(name: string, about: string, code: FrameErrorCode, offset: number, hex: string): RefusedCase {
  return { name, about, bytes: hexBytes(hex), code, offset };
}

/** The shortest birth with one run of bytes, of which there is one, replaced. */
function birth(name: string, about: string, code: FrameErrorCode, from: string, to: string): RefusedCase {
  const whole = Buffer.from(encodeFrame(SHORTEST_BIRTH)).toString("hex");
  return { name: `birth-${name}`, about, bytes: hexBytes(whole.replace(compact(from), compact(to))), code };
}

function channel(name: string, about: string, code: FrameErrorCode, hex: string): RefusedCase {
  return birth(`channel-${name}`, about, code, X_CHANNEL, hex);
}

/** A golden frame with one run of bytes, of which there is one, replaced. */
function spoilt({ name, about, of, code, from, to }: RefusedFlashCase | RefusedJobCase): RefusedCase {
  const frame = FRAME_CASES.find((one) => one.name === of)?.frame;
  const whole = frame === undefined ? "" : Buffer.from(encodeFrame(frame)).toString("hex");
  if (whole.split(compact(from)).length !== 2) throw new RangeError(`${name}: ${from} stands not once in ${whole}`);
  return { name, about, bytes: hexBytes(whole.replace(compact(from), compact(to))), code };
}

function lastBitFlipped(frame: Frame): RefusedCase {
  const bytes = encodeFrame(frame);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  const name = `${frame.kind}-bad-seal`;
  return { name, about: "the last bit flipped", bytes, code: "bad-seal", offset: bytes.length - 5 };
}

function hexBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(compact(hex), "hex"));
}

function compact(hex: string): string {
  return hex.replaceAll(" ", "");
}
