import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChannelRequest, planChannel, toFixed, toFloat } from "./channel-scale.ts";
import { deviceCore, SEED, SeededNoise } from "./codec-signals.suite.ts";
import { CodecError } from "./core-status.ts";

const core = deviceCore();

/** Plan, convert, encode, decode and convert back; the largest |out - in| / eps, in float64. */
function worstErrorOverEps(request: ChannelRequest, values: readonly number[]): number {
  const { config, isCounted } = planChannel(request);
  const fixed = values.map((value) => toFixed(config, value, isCounted));
  const codec = core.configure([config]);
  const { payload, rows, refusal } = core.createEncoder(codec).encode(
    Int32Array.from(fixed, ({ sample }) => sample),
    Uint8Array.from(fixed, ({ status }) => status),
  );
  if (refusal !== undefined) throw refusal;
  const { samples, statuses } = core.createDecoder(codec).decode(payload, rows, { hasEvents: true, hasLines: false });
  let worst = 0;
  for (const [i, value] of values.entries()) {
    if (statuses[i] !== 0) continue;
    const error = Math.abs(toFloat(config, samples[i] ?? 0) - value);
    worst = Math.max(worst, request.eps === 0 ? (error === 0 ? 0 : 2) : error / request.eps);
  }
  return worst;
}

test("values of a known range come back within eps, whatever the range and however fine eps", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
      fc.double({ min: -7.5, max: 0, noNaN: true }),
      fc.nat(),
      (min, width, relDecades, seed) => {
        const noise = new SeededNoise(seed);
        const values = Array.from({ length: 60 }, () => min + width * noise.uniform());
        const request = { name: "c", eps: width * 10 ** relDecades, min, max: min + width };
        try {
          expect(worstErrorOverEps(request, values)).toBeLessThanOrEqual(1);
        } catch (error) {
          if (!(error instanceof CodecError) || error.code !== "bound-below-conversion") throw error;
        }
      },
    ),
    { seed: SEED, numRuns: 150 },
  );
});

test("at the finest eps that is not refused, the bound still holds", () => {
  const noise = new SeededNoise(SEED);
  for (let i = 0; i < 40; i++) {
    const max = 2 ** (40 * noise.uniform() - 20);
    const values = Array.from({ length: 50 }, () => max * noise.uniform());
    let eps = max;
    while (isPlannable({ name: "c", eps: eps / 1.01, min: 0, max })) eps /= 1.01;
    expect(worstErrorOverEps({ name: "c", eps, min: 0, max }, values), `seed ${SEED}`).toBeLessThanOrEqual(1);
  }
});

function isPlannable(request: ChannelRequest): boolean {
  try {
    planChannel(request);
    return true;
  } catch {
    return false;
  }
}

test("engineering units without a range are Q8.23", () => {
  const { config } = planChannel({ name: "gx", unit: "deg/s", eps: 0.05 });
  expect(config).toMatchObject({ name: "gx", unit: "deg/s", offset: 0, mantissa: 1, exponent: -23, lattice: 1 });
  expect(config.e).toBe(Math.floor(0.05 * 2 ** 23 - 0.5));
  const noise = new SeededNoise(SEED);
  const values = Array.from({ length: 500 }, () => 512 * noise.uniform() - 256);
  expect(worstErrorOverEps({ name: "gx", eps: 0.05 }, values)).toBeLessThanOrEqual(1);
});

test.for([1, 0.25, 5, 1 / 512, 1.5])("counts of %f are exact at eps = 0", (lsb) => {
  const noise = new SeededNoise(SEED);
  const values = Array.from({ length: 400 }, () => lsb * (noise.int32() >> 12));
  expect(worstErrorOverEps({ name: "adc", eps: 0, counts: true, lsb }, values)).toBe(0);
});

test("counts beyond int32 are moved into it by a whole offset", () => {
  const request = { name: "unix", eps: 0, counts: true, min: 1.7e12, max: 1.7e12 + 1e6 };
  expect(worstErrorOverEps(request, [1.7e12, 1.7e12 + 1, 1.7e12 + 999_999])).toBe(0);
});

test("a value that is no count is refused where counts were promised", () => {
  const { config } = planChannel({ name: "adc", eps: 0, counts: true });
  expect(() => toFixed(config, 1.5, true)).toThrow(expect.objectContaining({ code: "not-a-count" }));
});

test("an eps below the cost of conversion is refused with that cost", () => {
  for (const eps of [0, 2 ** -26, 2 ** -25]) {
    expect(() => planChannel({ name: "x", eps })).toThrow(expect.objectContaining({ code: "bound-below-conversion" }));
  }
  expect(planChannel({ name: "x", eps: 2 ** -23 }).config.e).toBe(0);
});

test("values on a coarse lattice are coded on it, float32 ones too", () => {
  const noise = new SeededNoise(SEED);
  const lattice = 0.005;
  const values = Array.from({ length: 800 }, () => Math.fround(lattice * Math.round(200 * noise.normal())));
  const request = { name: "ecg", eps: 0.012, min: -8, max: 8, lattice };
  expect(planChannel(request).config.lattice).toBeGreaterThan(1);
  expect(worstErrorOverEps(request, values)).toBeLessThanOrEqual(1);
});

test("NaN is invalid, and what lies outside is clipped and flagged", () => {
  const { config } = planChannel({ name: "x", eps: 0.1 });
  expect(toFixed(config, Number.NaN)).toEqual({ sample: 0, status: 1 });
  expect(toFixed(config, 256)).toEqual({ sample: 2 ** 31 - 1, status: 2 });
  expect(toFixed(config, Number.NEGATIVE_INFINITY)).toEqual({ sample: -(2 ** 31), status: 2 });
  expect(toFixed(config, -256)).toEqual({ sample: -(2 ** 31), status: 0 });
});

test("a range of a single value still takes values near it", () => {
  expect(worstErrorOverEps({ name: "x", eps: 0.1, min: 5, max: 5 }, [5, 5.2, 4.9, 5.05])).toBeLessThanOrEqual(1);
});

test("the promised eps is on the wire exactly", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e300, noNaN: true }), (eps) => {
      const { epsMantissa, epsExponent } = planChannel({ name: "x", eps }).config;
      expect(Number.isSafeInteger(epsMantissa)).toBe(true);
      expect(epsMantissa * 2 ** epsExponent).toBe(eps);
    }),
    { seed: SEED },
  );
});

test.for([
  [{ name: "x", eps: -1 }],
  [{ name: "x", eps: Number.NaN }],
  [{ name: "x", eps: 1, min: 0 }],
  [{ name: "x", eps: 1, min: 1, max: 0 }],
  [{ name: "x", eps: 1, min: -1e308, max: 1e308 }],
  [{ name: "x", eps: 1, counts: true, lsb: 0.1 }],
  [{ name: "x", eps: 1, counts: true, lsb: 0 }],
  [{ name: "x", eps: 1, lattice: 0.1 }],
] as const)("the request %o is refused as unrepresentable", ([request]) => {
  expect(() => planChannel(request)).toThrow(expect.objectContaining({ code: "scale-range" }));
});

test("a range spans at most 2^7 history bins, and more than half of that where bins were widened for it", () => {
  for (const rel of [0.3, 1e-1, 1e-2, 1e-3, 1e-5, 1e-7]) {
    const { config } = planChannel({ name: "x", eps: rel * 7, min: -3, max: 4 });
    const samples = 7 / (config.mantissa * 2 ** config.exponent);
    const bins = samples / (2 * config.e + 1) / 2 ** config.historyShift;
    expect(bins).toBeLessThanOrEqual(2 ** 7);
    if (config.historyShift > 0) expect(bins).toBeGreaterThan(2 ** 6 * 0.99);
  }
});
