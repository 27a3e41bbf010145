import fc from "fast-check";
import {
  type ChannelConfig,
  FLASH_PHASES,
  type Frame,
  type FrameKind,
  JOB_STATES,
  type JobBlob,
  type SeqRange,
  SIGNATURE_BYTES,
} from "./index.ts";

const U32 = 0xffff_ffff;
/** Events and lines never come together. */
const FLAGS = fc.constantFrom(
  { hasEvents: false, hasLines: false },
  { hasEvents: true, hasLines: false },
  { hasEvents: false, hasLines: true },
);

/** Any valid frame of each kind; numbers at the edges of CBOR's forms come up often. */
export const ARBITRARY_FRAMES: { readonly [K in FrameKind]: fc.Arbitrary<Extract<Frame, { kind: K }>> } = {
  residual: fc
    .record({
      kind: fc.constant("residual" as const),
      position: uint(0xffff),
      quiet: uint(131_071),
      samples: uint(2 ** 30 - 1),
      flags: FLAGS,
      payload: fc.uint8Array({ maxLength: 300, size: "max" }),
      seal: uint(U32),
    })
    .map(({ flags, ...rest }) => ({ ...rest, ...flags })),
  keyframe: fc
    .record({
      kind: fc.constant("keyframe" as const),
      epoch: uint(U32, 1),
      seq: uint(U32),
      birthHash: hex(8),
      timeUs: uint(Number.MAX_SAFE_INTEGER),
      lattices: uint(0xffff),
      samples: uint(2 ** 30 - 1),
      flags: FLAGS,
      payload: fc.uint8Array({ maxLength: 300, size: "max" }),
      seal: uint(U32),
    })
    .map(({ flags, ...rest }) => ({ ...rest, ...flags })),
  heartbeat: fc.record({
    kind: fc.constant("heartbeat" as const),
    position: uint(0xffff),
    quiet: uint(131_071),
    timeUs: uint(Number.MAX_SAFE_INTEGER),
    ringFill: uint(1000),
    seal: uint(U32),
  }),
  fragment: fc
    .record({
      count: uint(255, 2),
      id: uint(131_071),
      chunk: fc.uint8Array({ minLength: 1, maxLength: 300, size: "max" }),
    })
    .chain(({ count, id, chunk }) =>
      uint(count - 1).map((index) => ({ kind: "fragment" as const, id, index, count, chunk })),
    ),
  ack: fc
    .record({
      nonce: uint(U32),
      epoch: uint(U32, 1),
      through: uint(U32),
      steps: fc.array(fc.tuple(uint(70_000), uint(70_000, 1)), { maxLength: 8, size: "max" }),
    })
    .map(({ steps, ...rest }) => ({ kind: "ack" as const, ...rest, missing: rangesFrom(rest.through, steps) })),
  status: fc
    .record({
      nonce: uint(U32),
      epoch: uint(U32, 1),
      ends: fc.tuple(uint(U32), uint(U32)),
      evicted: uint(Number.MAX_SAFE_INTEGER),
      ringFill: uint(1000),
      timeUs: uint(Number.MAX_SAFE_INTEGER),
    })
    .map(({ ends, ...rest }) => ({
      kind: "status" as const,
      ...rest,
      oldest: Math.min(...ends),
      next: Math.max(...ends),
    })),
  resync: fc.record({
    kind: fc.constant("resync" as const),
    nonce: uint(U32),
    epoch: uint(U32, 1),
    seq: uint(U32),
    reason: fc.constantFrom("state-mismatch", "unknown-birth", "frames-lost"),
  }),
  birth: fc.record({
    kind: fc.constant("birth" as const),
    device: identifier(1, 64),
    nonce: uint(U32),
    epoch: uint(U32),
    model: hex(32),
    frameSamples: uint(0xffff, 1),
    periodNs: uint(Number.MAX_SAFE_INTEGER, 1),
    silenceMs: uint(U32, 1),
    ringBytes: uint(U32),
    firmware: text(0, 32),
    channels: fc.uniqueArray(channel(), { minLength: 1, maxLength: 16, size: "max", selector: ({ name }) => name }),
  }),
  welcome: fc.record({
    kind: fc.constant("welcome" as const),
    nonce: uint(U32),
    epoch: uint(U32, 1),
    through: uint(U32),
    alias: identifier(0, 6),
    ackAgeMs: uint(86_400_000),
    timeUs: uint(Number.MAX_SAFE_INTEGER),
  }),
  refusal: fc.record({
    kind: fc.constant("refusal" as const),
    nonce: uint(U32),
    reason: fc.constantFrom("unsupported-version", "unknown-model", "bad-birth", "unknown-device", "conflict"),
  }),
  presence: fc.record({ kind: fc.constant("presence" as const), nonce: uint(U32), online: fc.boolean() }),
  flash: fc.oneof(
    fc.record({ kind: fc.constant("flash" as const), op: fc.constant("ask" as const), nonce: uint(U32) }),
    flashKey().chain(({ algorithm, id }) =>
      fc.record({
        kind: fc.constant("flash" as const),
        op: fc.constant("begin" as const),
        nonce: uint(U32),
        manifest: fc.uint8Array({ minLength: 1, maxLength: 256, size: "max" }),
        algorithm: fc.constant(algorithm),
        key: fc.constant(id),
        signature: fc.uint8Array({ minLength: SIGNATURE_BYTES[algorithm], maxLength: SIGNATURE_BYTES[algorithm] }),
      }),
    ),
    fc.record({
      kind: fc.constant("flash" as const),
      op: fc.constant("chunk" as const),
      nonce: uint(U32),
      sid: uint(U32),
      offset: uint(U32),
      data: fc.uint8Array({ minLength: 1, maxLength: 256, size: "max" }),
      crc: uint(U32),
    }),
    fc.record({
      kind: fc.constant("flash" as const),
      op: fc.constantFrom("end", "activate", "confirm", "abort"),
      nonce: uint(U32),
      sid: uint(U32),
    }),
    fc.record({
      kind: fc.constant("flash" as const),
      op: fc.constant("state" as const),
      nonce: uint(U32),
      sid: uint(U32),
      phase: fc.constantFrom(...FLASH_PHASES),
      next: uint(U32),
      verdict: uint(255),
      detail: uint(U32),
      running: fc.record({
        slot: fc.constantFrom(0, 1, 255),
        form: fc.constantFrom("image" as const, "module" as const),
        version: uint(U32),
        model: hex(32),
      }),
      confirmedVersion: uint(U32),
      slotBytes: uint(U32),
      chunkBytes: fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128, 256),
      target: text(1, 32),
      abi: uint(U32),
      keys: fc.array(flashKey(), { minLength: 1, maxLength: 4 }),
      traps: uint(0xffff),
      stackHighWater: uint(U32),
    }),
  ),
  job: fc.oneof(
    fc.record({
      kind: fc.constant("job" as const),
      op: fc.constant("submit" as const),
      nonce: uint(U32),
      workload: text(1, 64),
      params: fc.uint8Array({ minLength: 2, maxLength: 300, size: "max" }),
      inputs: blobs(),
      salt: text(0, 64),
      attempts: uint(100),
    }),
    fc.record({
      kind: fc.constant("job" as const),
      op: fc.constantFrom("cancel", "ask"),
      nonce: uint(U32),
      id: hex(32),
    }),
  ),
  result: fc
    .record({ kind: fc.constant("result" as const), nonce: uint(U32), id: hex(32) })
    .chain((head) => result().map((rest) => ({ ...head, ...rest }))),
  exchange: fc.record({
    kind: fc.constant("exchange" as const),
    job: hex(8),
    from: uint(0xffff),
    to: uint(0xffff),
    seq: uint(U32),
    isLast: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 300, size: "max" }),
  }),
};

/** The names of the kinds, to run one test for each. */
export const FRAME_KINDS = Object.keys(ARBITRARY_FRAMES) as FrameKind[];

function result() {
  const state = fc.constantFrom(...JOB_STATES);
  return fc.oneof(
    fc.record({ op: fc.constant("accepted" as const), isNew: fc.boolean(), state }),
    fc.record({
      op: fc.constant("progress" as const),
      state,
      fraction: fc.oneof(uint(10_000), fc.constant(null)),
      note: text(0, 200),
      attempts: uint(100),
    }),
    fc.record({
      op: fc.constant("done" as const),
      value: fc.uint8Array({ minLength: 2, maxLength: 300, size: "max" }),
      outputs: blobs(),
    }),
    fc.record({
      op: fc.constant("failed" as const),
      state,
      code: text(1, 32),
      message: text(0, 500),
      attempts: uint(100),
    }),
    fc.record({ op: fc.constant("cancelled" as const) }),
  );
}

function blobs(): fc.Arbitrary<JobBlob[]> {
  const blob = fc.record({ name: text(1, 255), sha256: hex(32), bytes: uint(Number.MAX_SAFE_INTEGER) });
  return fc.uniqueArray(blob, { maxLength: 4, selector: ({ name }) => name });
}

function flashKey() {
  return fc.record({ algorithm: fc.constantFrom("ed25519" as const, "hmac-sha256" as const), id: hex(8) });
}

function channel(): fc.Arbitrary<ChannelConfig> {
  return fc.record({
    name: text(1, 32),
    unit: text(0, 16),
    e: uint(2 ** 30 - 1),
    lattice: uint(U32, 1),
    historyShift: uint(25),
    offset: fc
      .tuple(uint(Number.MAX_SAFE_INTEGER), fc.boolean())
      .map(([size, isNegative]) => (isNegative && size > 0 ? -size : size)),
    mantissa: uint(2 ** 31 - 1, 1),
    exponent: fc.integer({ min: -200, max: 200 }),
    epsMantissa: uint(Number.MAX_SAFE_INTEGER),
    epsExponent: fc.integer({ min: -1100, max: 971 }),
  });
}

function uint(max: number, min = 0): fc.Arbitrary<number> {
  const edges = [23, 24, 255, 256, 65_535, 65_536, U32, U32 + 1].filter((edge) => edge >= min && edge <= max);
  const any = fc.maxSafeNat().map((size) => min + (size % (max - min + 1)));
  const small = fc.nat({ max: Math.min(300, max - min) }).map((size) => min + size);
  return fc.oneof(any, small, fc.constantFrom(min, max, ...edges));
}

function hex(bytes: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((content) => Buffer.from(content).toString("hex"));
}

function identifier(minLength: number, maxLength: number): fc.Arbitrary<string> {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return fc.string({ unit: fc.constantFrom(...letters), minLength, maxLength, size: "max" });
}

/** Characters of one to four bytes, as many as fit. */
function text(minBytes: number, maxBytes: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom("a", "Z", " ", "~", "\u00a0", "é", "ÿ", "√", "力", "\ufeff", "\uffff", "🛰", "𝄞");
  return fc.array(unit, { minLength: minBytes, maxLength: maxBytes, size: "max" }).map((characters) => {
    let fitting = "";
    for (const character of characters) {
      fitting += Buffer.byteLength(fitting + character) <= maxBytes ? character : "";
    }
    return fitting;
  });
}

function rangesFrom(through: number, steps: readonly (readonly [number, number])[]): SeqRange[] {
  const ranges: SeqRange[] = [];
  let from = through;
  for (const [gap, count] of steps) {
    from += gap;
    if (from + count > 2 ** 32) {
      break;
    }
    ranges.push({ from, count: Math.min(count, 2048) });
    from += count;
  }
  return ranges;
}
