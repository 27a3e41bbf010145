import type { FlashFrame, FlashStateFrame, FrameErrorCode } from "../src/index.ts";

/** Values of golden flash frames, written by hand; `frame-cases.ts` and `refused-cases.ts` take them in. */

const U32 = 0xffff_ffff;
const NONCE = 0x1234_5678;
const SID = 0x0102_0304;
const MODEL = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/** One golden flash frame. */
export interface FlashCase {
  readonly name: string;
  readonly about: string;
  readonly frame: FlashFrame;
}

const SHORTEST_STATE: FlashStateFrame = {
  kind: "flash",
  op: "state",
  nonce: 0,
  sid: 0,
  phase: "idle",
  next: 0,
  verdict: 0,
  detail: 0,
  running: { slot: 0, form: "image", version: 0, model: "00".repeat(32) },
  confirmedVersion: 0,
  slotBytes: 0,
  chunkBytes: 1,
  target: "a",
  abi: 0,
  keys: [{ algorithm: "ed25519", id: "0000000000000000" }],
  traps: 0,
  stackHighWater: 0,
};

/** Every golden flash frame that is accepted. */
export const FLASH_CASES: readonly FlashCase[] = [
  { name: "flash-ask", about: "what runs there?", frame: { kind: "flash", op: "ask", nonce: NONCE } },
  {
    name: "flash-begin-ed25519",
    about: "the longest manifest, signed by Ed25519",
    frame: {
      kind: "flash",
      op: "begin",
      nonce: U32,
      manifest: counted(256),
      algorithm: "ed25519",
      key: "0123456789abcdef",
      signature: counted(64),
    },
  },
  {
    name: "flash-begin-hmac",
    about: "the shortest manifest, signed by HMAC-SHA256",
    frame: {
      kind: "flash",
      op: "begin",
      nonce: 0,
      manifest: counted(1),
      algorithm: "hmac-sha256",
      key: "ffffffffffffffff",
      signature: counted(32),
    },
  },
  {
    name: "flash-chunk-first",
    about: "the first chunk",
    frame: { kind: "flash", op: "chunk", nonce: NONCE, sid: SID, offset: 0, data: counted(8), crc: 0x88aa_689f },
  },
  {
    name: "flash-chunk-largest-numbers",
    about: "every number at its limit, as many bytes as there may be",
    frame: { kind: "flash", op: "chunk", nonce: U32, sid: U32, offset: U32, data: counted(256), crc: U32 },
  },
  { name: "flash-end", about: "all came", frame: { kind: "flash", op: "end", nonce: NONCE, sid: SID } },
  { name: "flash-activate", about: "switch to it", frame: { kind: "flash", op: "activate", nonce: NONCE, sid: SID } },
  { name: "flash-confirm", about: "keep it", frame: { kind: "flash", op: "confirm", nonce: NONCE, sid: SID } },
  { name: "flash-abort", about: "drop it", frame: { kind: "flash", op: "abort", nonce: NONCE, sid: 0 } },
  { name: "flash-state-shortest", about: "zeros throughout, one key", frame: SHORTEST_STATE },
  {
    name: "flash-state-receiving",
    about: "a device in module form that has half of a package",
    frame: {
      ...SHORTEST_STATE,
      nonce: NONCE,
      sid: SID,
      phase: "receiving",
      next: 9216,
      running: { slot: 255, form: "module", version: 0x0100_0000, model: MODEL },
      confirmedVersion: 0x0100_0000,
      slotBytes: 65_184,
      chunkBytes: 256,
      target: "module",
      abi: 1,
      keys: [
        { algorithm: "ed25519", id: "0123456789abcdef" },
        { algorithm: "hmac-sha256", id: "fedcba9876543210" },
      ],
    },
  },
  {
    name: "flash-state-reverted",
    about: "what was tried has trapped",
    frame: {
      ...SHORTEST_STATE,
      nonce: NONCE,
      sid: SID,
      verdict: 15,
      detail: 0x0003_0042,
      abi: 1,
      traps: 1,
      target: "m",
    },
  },
  {
    name: "flash-state-largest-numbers",
    about: "every number and text at its limit, four keys, a verdict of a later release",
    frame: {
      kind: "flash",
      op: "state",
      nonce: U32,
      sid: U32,
      phase: "reverting",
      next: U32,
      verdict: 255,
      detail: U32,
      running: { slot: 1, form: "module", version: U32, model: "ff".repeat(32) },
      confirmedVersion: U32,
      slotBytes: U32,
      chunkBytes: 256,
      target: "a-target-of-thirty-two-bytes-all",
      abi: U32,
      keys: Array.from({ length: 4 }, () => ({ algorithm: "hmac-sha256", id: "ffffffffffffffff" })),
      traps: 0xffff,
      stackHighWater: U32,
    },
  },
];

/** A run of bytes of a golden flash frame replaced, and why the result is refused. */
export interface RefusedFlashCase {
  readonly name: string;
  readonly about: string;
  /** The golden frame. */
  readonly of: string;
  readonly code: FrameErrorCode;
  /** Hexadecimal, there once. */
  readonly from: string;
  readonly to: string;
}

/** Golden flash frames gone wrong; their seals do not fit either, which is found last. */
export const REFUSED_FLASH_CASES: readonly RefusedFlashCase[] = [
  refused("op-7", "a spare op", "flash-end", "out-of-range", "1a12345678 03", "1a12345678 07"),
  refused("op-9", "beyond the last op", "flash-end", "out-of-range", "1a12345678 03", "1a12345678 09"),
  refused(
    "ask-with-sid",
    "an element too many",
    "flash-ask",
    "wrong-shape",
    "84181b1a12345678 00",
    "85181b1a12345678 00 00",
  ),
  refused("end-without-sid", "an element too few", "flash-end", "wrong-shape", "85 181b", "84 181b"),
  refused("end-sid-negative", "a number below zero", "flash-end", "out-of-range", "03 1a01020304", "03 20"),
  refused("end-bad-seal", "a bit turned", "flash-end", "bad-seal", "1a01020304", "1a01020305"),
  refused("begin-manifest-empty", "no manifest", "flash-begin-hmac", "out-of-range", "01 41 00 01", "01 40 01"),
  refused(
    "begin-manifest-of-257",
    "one byte too many",
    "flash-begin-ed25519",
    "out-of-range",
    "01 590100",
    "01 590101",
  ),
  refused(
    "begin-algorithm-2",
    "an algorithm that there is not",
    "flash-begin-hmac",
    "out-of-range",
    "4100 01 48",
    "4100 02 48",
  ),
  refused(
    "begin-key-of-7",
    "a short key",
    "flash-begin-hmac",
    "out-of-range",
    "48 ffffffffffffffff",
    "47 ffffffffffffff",
  ),
  refused(
    "begin-signature-of-64",
    "Ed25519's length for HMAC",
    "flash-begin-hmac",
    "out-of-range",
    "ff 5820 00",
    "ff 5840 00",
  ),
  refused("chunk-empty", "no data", "flash-chunk-first", "out-of-range", "00 48 0001020304050607", "00 40"),
  refused(
    "chunk-of-257",
    "one byte too many",
    "flash-chunk-largest-numbers",
    "out-of-range",
    "ffffffff 590100",
    "ffffffff 590101",
  ),
  refused(
    "chunk-offset-long-form",
    "0 in two bytes",
    "flash-chunk-first",
    "not-canonical",
    "1a01020304 00",
    "1a01020304 1800",
  ),
  refused(
    "state-phase-8",
    "a phase that there is not",
    "flash-state-shortest",
    "out-of-range",
    "00 08 00 00 00 00",
    "00 08 00 08 00 00",
  ),
  refused(
    "state-slot-2",
    "a third slot",
    "flash-state-shortest",
    "out-of-range",
    "84 00 00 00 5820",
    "84 02 00 00 5820",
  ),
  refused("state-chunk-3", "no power of two", "flash-state-shortest", "out-of-range", "00 01 6161", "00 03 6161"),
  refused(
    "state-chunk-512",
    "too large a chunk",
    "flash-state-shortest",
    "out-of-range",
    "00 01 6161",
    "00 190200 6161",
  ),
  refused("state-target-empty", "no target", "flash-state-shortest", "out-of-range", "01 6161", "01 60"),
  refused(
    "state-keys-none",
    "nobody is trusted",
    "flash-state-shortest",
    "out-of-range",
    "81 82 00 48 0000000000000000",
    "80",
  ),
  refused("state-keys-five", "one too many", "flash-state-shortest", "out-of-range", "81 82 00 48", "85 82 00 48"),
  refused(
    "state-key-of-one",
    "a key without an id",
    "flash-state-shortest",
    "wrong-shape",
    "81 82 00 48",
    "81 81 00 48",
  ),
  refused(
    "state-running-of-3",
    "an element is missing",
    "flash-state-shortest",
    "wrong-shape",
    "84 00 00 00 5820",
    "83 00 00 00 5820",
  ),
];

function refused(
  name: string,
  about: string,
  of: string,
  code: FrameErrorCode,
  from: string,
  to: string,
): RefusedFlashCase {
  return { name: `flash-${name}`, about, of, code, from, to };
}

/** 0, 1, 2 … */
function counted(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i & 0xff);
}
