import { describe, expect, test } from "vitest";
import { RandomStream } from "../../tensor/random.ts";
import type { CoderControl } from "./coder-mode.ts";
import { GradientCoder } from "./gradient-coder.ts";
import { GradientCore } from "./gradient-core.ts";
import { GradientError, type GradientErrorCode } from "./gradient-error.ts";

const LAYOUT = [
  { name: "a", shape: [40, 30] },
  { name: "b", shape: [20, 50] },
  { name: "c", shape: [30] },
];
const N = 2230;
const STEP = 7;
const core = new GradientCore();

const stream = new RandomStream(5, "hostile");
const VALUES = Float32Array.from({ length: N }, () => stream.nextNormal());
const CONTROL = { weights: new Float32Array(N).fill(0.5) };
const coder = new GradientCoder(LAYOUT, { kind: "threshold", levels: 3 });
const MESSAGE = coder.encode(
  VALUES,
  { ...CONTROL, steps: Float32Array.of(2, 3, 2), included: Uint8Array.of(1, 1, 0) },
  STEP,
);

/** Most of it is sent, and it is large enough: codes are of the other coder. */
const DENSE_LAYOUT = [
  { name: "a", shape: [64, 60] },
  { name: "b", shape: [500] },
];
const DENSE_N = 4340;
const DENSE_BODY_AT = 22;
const dense = new GradientCoder(DENSE_LAYOUT, { kind: "threshold", levels: 30 });
const DENSE_VALUES = Float32Array.from({ length: DENSE_N }, () => 4 * stream.nextNormal());
const DENSE = dense.encode(DENSE_VALUES, { steps: Float32Array.of(1, 1) }, STEP);

/** As if the sender had meant it: with the right checksum. */
function sealed(message: Uint8Array): Uint8Array {
  new DataView(message.buffer, message.byteOffset).setUint32(0, core.checksum(message.subarray(4)), true);
  return message;
}

function changed(change: (message: Uint8Array, view: DataView) => void): Uint8Array {
  const message = MESSAGE.slice();
  change(message, new DataView(message.buffer));
  return sealed(message);
}

function refusal(
  message: Uint8Array,
  control: CoderControl = CONTROL,
  step = STEP,
  by = coder,
  count = N,
): GradientErrorCode | undefined {
  const out = new Float32Array(count).fill(3);
  try {
    by.decode(message, control, step, out, 1);
    return undefined;
  } catch (error) {
    if (!(error instanceof GradientError)) throw error;
    expect(out.every((x) => x === 3)).toBe(true);
    return error.code;
  }
}

function denseRefusal(message: Uint8Array): GradientErrorCode | undefined {
  return refusal(message, {}, STEP, dense, DENSE_N);
}

test("the message is read as it is", () => {
  expect(refusal(MESSAGE)).toBeUndefined();
});

test("a message that was cut anywhere is refused", () => {
  for (let length = 0; length < MESSAGE.length; length += 1) {
    expect(refusal(MESSAGE.slice(0, length))).toBe(length < 20 ? "truncated" : "bad-checksum");
  }
});

test("a message of which any bit was turned is refused", () => {
  for (let bit = 0; bit < 8 * MESSAGE.length; bit += 1) {
    const message = MESSAGE.slice();
    message[bit >> 3] = (message[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(refusal(message)).toBe("bad-checksum");
  }
});

describe("a head that no encoder wrote, under a right checksum, is refused by name", () => {
  const cases: readonly (readonly [string, GradientErrorCode, (message: Uint8Array, view: DataView) => void])[] = [
    ["another version", "unknown-version", (_, view) => view.setUint8(4, 2)],
    ["an unknown kind", "bad-header", (message, view) => view.setUint8(5, (message[5] ?? 0) | 15)],
    ["another model", "other-layout", (_, view) => view.setUint32(6, 1, true)],
    ["another step", "other-step", (_, view) => view.setUint32(10, 8, true)],
    ["a largest code of 0", "bad-header", (_, view) => view.setUint16(14, 0, true)],
    ["a largest code beyond 15 bits", "bad-header", (_, view) => view.setUint16(14, 40_000, true)],
    ["another state", "other-state", (message, view) => view.setUint8(18, (message[18] ?? 0) ^ 1)],
    ["a step of 0", "bad-header", (_, view) => view.setUint16(21, 0, true)],
    ["a negative step", "bad-header", (_, view) => view.setUint16(21, 0xbf80, true)],
    [
      "dense codes with sizes that have no table",
      "bad-header",
      (message, view) => {
        view.setUint8(5, (message[5] ?? 0) | 0x80);
        view.setUint16(14, 128, true);
      },
    ],
    ["an endless step", "bad-header", (_, view) => view.setUint16(23, 0x7f80, true)],
    ["no weights", "other-state", (message, view) => view.setUint8(5, (message[5] ?? 0) & ~0x40)],
  ];
  for (const [name, code, change] of cases) {
    test(name, () => {
      expect(refusal(changed(change))).toBe(code);
    });
  }
  test("a head that ends inside its own steps", () => {
    expect(refusal(sealed(MESSAGE.slice(0, 22)))).toBe("truncated");
    expect(refusal(sealed(MESSAGE.slice(0, 20)))).toBe("truncated");
  });
});

test.each([
  ["sparse", MESSAGE, 25, refusal],
  ["dense", DENSE, DENSE_BODY_AT, denseRefusal],
] as const)(
  "%s codes that no encoder wrote, under a right checksum, are refused or read, and never reach beyond",
  (_, whole, bodyAt, read) => {
    let refused = 0;
    for (let round = 0; round < 1500; round += 1) {
      const length = stream.nextBelow(4) === 0 ? bodyAt + stream.nextBelow(600) : whole.length;
      const message = new Uint8Array(length);
      message.set(whole.subarray(0, length));
      const turned = 1 + stream.nextBelow(8);
      const from = stream.nextBelow(3) === 0 ? bodyAt : bodyAt + stream.nextBelow(Math.max(1, length - bodyAt));
      for (let i = 0; i < turned && from + i < length; i += 1) message[from + i] = stream.nextBelow(256);
      const code = read(sealed(message));
      if (code !== undefined) {
        expect(code).toBe("damaged");
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(100);
  },
);

test("a message that is longer than any of this model is refused before it is looked at", () => {
  const message = new Uint8Array(20_000);
  message.set(MESSAGE);
  expect(refusal(message)).toBe("too-large");
});

test("dense codes are read as they are, and not with a byte more or less", () => {
  expect((DENSE[5] ?? 0) >> 7).toBe(1);
  expect((MESSAGE[5] ?? 0) >> 7).toBe(0);
  expect(denseRefusal(DENSE)).toBeUndefined();
  expect(denseRefusal(sealed(Buffer.concat([DENSE, Buffer.of(0)])))).toBe("damaged");
  for (let length = DENSE_BODY_AT; length < DENSE.length; length += 1) {
    expect(denseRefusal(sealed(DENSE.slice(0, length)))).toBe("damaged");
  }
});

test.each([0, 0x80])(
  "bodies of all kinds of noise are read or refused in time, whatever they claim, flags %i",
  (flags) => {
    for (let round = 0; round < 200; round += 1) {
      const fill = [0, 255, stream.nextBelow(256)][round % 3] ?? 0;
      const isNoise = round % 4 === 3;
      const body = Uint8Array.from({ length: stream.nextBelow(3000) }, () => (isNoise ? stream.nextBelow(256) : fill));
      const message = new Uint8Array(25 + body.length);
      message.set(MESSAGE.subarray(0, 25));
      message.set(body, 25);
      const view = new DataView(message.buffer);
      view.setUint16(14, 1 + stream.nextBelow(flags === 0 ? 32_767 : 127), true);
      view.setUint8(5, view.getUint8(5) | flags);
      expect([undefined, "damaged"]).toContain(refusal(sealed(message)));
    }
  },
);

test("a message read by other weights, layout or step is refused", () => {
  const weights = CONTROL.weights.slice();
  weights[N - 1] = 0.5 + 2 ** -24;
  expect(refusal(MESSAGE, { weights })).toBe("other-state");
  expect(refusal(MESSAGE, {})).toBe("other-state");
  expect(refusal(MESSAGE, CONTROL, STEP + 1)).toBe("other-step");
  const renamed = LAYOUT.map((tensor) => ({ ...tensor, name: `${tensor.name}.` }));
  expect(refusal(MESSAGE, CONTROL, STEP, new GradientCoder(renamed, coder.mode))).toBe("other-layout");
});

describe("an encoder refuses what it cannot code", () => {
  const plain = { steps: new Float32Array(3).fill(1) };
  const cases: readonly (readonly [string, GradientErrorCode, () => unknown])[] = [
    ["too few values", "bad-control", () => coder.encode(new Float32Array(3), plain, 0)],
    ["too few weights", "bad-control", () => coder.encode(VALUES, { ...plain, weights: new Float32Array(3) }, 0)],
    ["no steps", "bad-control", () => coder.encode(VALUES, {}, 0)],
    ["a step of 0", "bad-control", () => coder.encode(VALUES, { steps: Float32Array.of(1, 0, 1) }, 0)],
    [
      "a step that is no number",
      "bad-control",
      () => coder.encode(VALUES, { steps: Float32Array.of(1, 1, Number.NaN) }, 0),
    ],
    ["a weight of 0", "not-finite", () => coder.encode(VALUES, { ...plain, weights: new Float32Array(N) }, 0)],
    ["too small a sent", "bad-control", () => coder.encode(VALUES, plain, 0, new Float32Array(3))],
  ];
  for (const [name, code, act] of cases) {
    test(name, () => {
      expect(act).toThrow(expect.objectContaining({ name: "GradientError", code }));
    });
  }

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "a value of %s, in every mode",
    (strange) => {
      for (const at of [0, 1207, N - 1]) {
        const values = VALUES.slice();
        values[at] = strange;
        for (const mode of [
          { kind: "error-bounded" },
          { kind: "threshold", levels: 1 },
          { kind: "top-k", share: 0.1, levels: 1, of: "message" },
          { kind: "top-k", share: 0.1, levels: 1, of: "tensor" },
          { kind: "stochastic", bits: 4 },
        ] as const) {
          const strangeCoder = new GradientCoder(LAYOUT, mode);
          expect(() => strangeCoder.encode(values, plain, 0)).toThrow(expect.objectContaining({ code: "not-finite" }));
        }
      }
    },
  );

  test("a value beyond 16 bits of steps", () => {
    const bounded = new GradientCoder(LAYOUT, { kind: "error-bounded" });
    const values = VALUES.slice();
    values[5] = 40_000;
    expect(() => bounded.encode(values, plain, 0)).toThrow(expect.objectContaining({ code: "too-large" }));
  });

  test.each([
    { kind: "stochastic", bits: 9 },
    { kind: "stochastic", bits: 2.5 },
    { kind: "threshold", levels: 0 },
    { kind: "threshold", levels: 128 },
    { kind: "top-k", share: 0, levels: 1, of: "message" },
    { kind: "top-k", share: 1.5, levels: 1, of: "tensor" },
  ] as const)("the mode %o", (mode) => {
    const wrong = new GradientCoder(LAYOUT, mode);
    expect(() => wrong.encode(VALUES, plain, 0)).toThrow(expect.objectContaining({ code: "bad-control" }));
  });
});
