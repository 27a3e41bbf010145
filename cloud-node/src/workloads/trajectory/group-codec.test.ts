import { expect, test } from "vitest";
import { type BoundMode, decodeGroup, type GroupSource, readGroup } from "./group-codec.ts";
import { encodeGroup } from "./group-encode.ts";
import { Melt, SeededNumbers } from "./melt.suite.ts";
import { TrajectoryCore } from "./trajectory-core.ts";

const SIMD = TrajectoryCore.load("simd");
const SCALAR = TrajectoryCore.load("scalar");

/** A copy that the codec never sees: what is decoded is compared with this. */
type Originals = readonly (readonly (Float32Array | Float64Array)[])[];

function originalsOf(melt: Melt, elementBytes: 4 | 8, derivative: 0 | 1 | 2 = 0): Originals {
  return Array.from({ length: melt.frames }, (_, frame) =>
    [0, 1, 2].map((axis) => {
      const values = melt.values(frame, axis, derivative);
      return elementBytes === 4 ? Float32Array.from(values) : values;
    }),
  );
}

function sourceOf(originals: Originals, eps: number, mode: BoundMode = "max"): GroupSource {
  const first = originals[0]?.[0] as Float32Array | Float64Array;
  return {
    frames: originals.length,
    axes: originals[0]?.length ?? 0,
    atoms: first.length,
    elementBytes: first instanceof Float32Array ? 4 : 8,
    mode,
    eps,
    loss: 0,
    values: (frame, axis) => originals[frame]?.[axis]?.slice() ?? new Float64Array(0),
  };
}

/** Encode, decode in a memory of its own, and give the largest error and the root mean square. */
function roundTrip(core: TrajectoryCore, originals: Originals, eps: number, mode: BoundMode = "max") {
  const source = sourceOf(originals, eps, mode);
  core.clear();
  const coded = encodeGroup(core, source, []);
  if (coded === undefined) return undefined;
  core.clear();
  const plane = decodeGroup(core, source, coded.bytes, []);
  expect(plane).toBeDefined();
  let [worst, squares, count] = [0, 0, 0];
  for (const [frame, axes] of originals.entries()) {
    for (const [axis, values] of axes.entries()) {
      const back = readGroup(core, source, { ...coded, plane: plane ?? 0 }, frame, axis, values.slice());
      for (const [i, value] of values.entries()) {
        if (Object.is(value, back[i])) continue;
        expect(Number.isFinite(value), `${value} at ${frame} ${axis} ${i}`).toBe(true);
        const error = Math.abs(value - (back[i] ?? Number.NaN));
        worst = error <= worst ? worst : error;
        squares += error * error;
      }
      count += values.length;
    }
  }
  return { bytes: coded.bytes, worst, rms: Math.sqrt(squares / count) };
}

test.for([
  [4, 1e-2],
  [4, 1e-3],
  [4, 1e-4],
  [8, 1e-1],
  [8, 1e-3],
  [8, 1e-6],
  [8, 1e-8],
] as const)("float%d values within %d: every one decodes within the bound", ([elementBytes, eps]) => {
  for (const [frames, interval] of [
    [1, 0.005],
    [2, 0.005],
    [7, 0.5],
    [40, 0.005],
    [70, 0.05],
  ] as const) {
    const melt = new Melt({ atoms: 37, frames, interval, seed: 1000 * frames + elementBytes });
    const found = roundTrip(SIMD, originalsOf(melt, elementBytes), eps);
    expect(found, `${frames} frames`).toBeDefined();
    expect(found?.worst).toBeLessThanOrEqual(eps);
    expect(found?.worst).toBeGreaterThan(eps / 100);
  }
});

test("a bound near the last place of float32 holds, or the values are kept as they are", () => {
  const melt = new Melt({ atoms: 50, frames: 20, interval: 0.005, seed: 7 });
  const originals = originalsOf(melt, 4);
  let coded = 0;
  for (let eps = 1e-5; eps > 1e-8; eps /= 1.7) {
    const found = roundTrip(SIMD, originals, eps);
    if (found === undefined) continue;
    coded += 1;
    expect(found.worst).toBeLessThanOrEqual(eps);
  }
  expect(coded).toBeGreaterThan(3);
});

test("with rms the root mean square is under half the bound, and no value is over it", () => {
  for (const interval of [0.005, 0.05, 0.5]) {
    const melt = new Melt({ atoms: 200, frames: 40, interval, seed: 5 });
    const found = roundTrip(SIMD, originalsOf(melt, 8), 1e-3, "rms");
    expect(found?.rms).toBeLessThan(0.5e-3);
    expect(found?.worst).toBeLessThanOrEqual(1e-3);
  }
});

test("the scalar build gives the bytes of the SIMD build, and each decodes what the other wrote", () => {
  const random = new SeededNumbers(99);
  for (const elementBytes of [4, 8] as const) {
    for (const atoms of [1, 5, 16, 33, 150]) {
      const melt = new Melt({ atoms, frames: 3 + Math.floor(60 * random.next()), interval: 0.01, seed: atoms });
      const eps = 10 ** (-1 - 3 * random.next());
      const [simd, scalar] = [SIMD, SCALAR].map((core) => roundTrip(core, originalsOf(melt, elementBytes), eps));
      expect(simd?.bytes.length).toBeGreaterThan(0);
      expect(scalar, `${atoms} atoms, float${8 * elementBytes}`).toEqual(simd);
    }
  }
});

test("both builds give the same reconstructions, with partners and escapes", () => {
  const melt = new Melt({ atoms: 61, frames: 30, interval: 0.02, seed: 4 });
  const [forces, velocities, positions] = ([2, 1, 0] as const).map((derivative) =>
    originalsOf(melt, 8, derivative).map((axes) => axes.map((values) => values.slice())),
  );
  const spoilt = velocities?.[3]?.[1];
  if (spoilt !== undefined) spoilt.set([Number.NaN, Number.POSITIVE_INFINITY, 1e300], 4);
  const found = [SIMD, SCALAR].map((core) => {
    core.clear();
    const f = encodeGroup(core, sourceOf(forces ?? [], 0.1), []);
    const v = encodeGroup(core, sourceOf(velocities ?? [], 0.01), [f?.plane ?? 0]);
    const x = encodeGroup(core, sourceOf(positions ?? [], 0.001), [v?.plane ?? 0, f?.plane ?? 0]);
    return [f, v, x].map((group) => group && { ...group, plane: 0 });
  });
  expect(found[0]?.[1]?.escapes.indices.length).toBe(3);
  expect(found[1]).toEqual(found[0]);
});

test("positions that come with velocities and forces take less than alone", () => {
  const melt = new Melt({ atoms: 300, frames: 50, interval: 0.02, seed: 21 });
  SIMD.clear();
  const alone = encodeGroup(SIMD, sourceOf(originalsOf(melt, 8), 1e-3), []);
  const f = encodeGroup(SIMD, sourceOf(originalsOf(melt, 8, 2), 0.1), []);
  const v = encodeGroup(SIMD, sourceOf(originalsOf(melt, 8, 1), 0.01), [f?.plane ?? 0]);
  const x = encodeGroup(SIMD, sourceOf(originalsOf(melt, 8), 1e-3), [v?.plane ?? 0, f?.plane ?? 0]);
  expect(x?.bytes.length).toBeLessThan(0.6 * (alone?.bytes.length ?? 0));
});

test("errors of positions that come with velocities do not lean with the forces, in the last frame either", () => {
  const [atoms, frames, interval, eps] = [1000, 40, 0.005, 1e-3];
  const melt = new Melt({ atoms, frames, interval, seed: 3 });
  SIMD.clear();
  const v = encodeGroup(SIMD, sourceOf(originalsOf(melt, 8, 1), eps), []);
  const positions = originalsOf(melt, 8);
  const source = sourceOf(positions, eps);
  const x = encodeGroup(SIMD, source, [v?.plane ?? 0]);
  let before: readonly Float64Array[] = [];
  for (const [frame, axes] of positions.entries()) {
    const errors = axes.map((values, axis) => {
      const back = readGroup(SIMD, source, x ?? expect.fail(), frame, axis, new Float64Array(atoms));
      return back.map((value, i) => value - (values[i] ?? 0));
    });
    let [leaning, squares] = [0, 0];
    for (const [axis, line] of before.entries()) {
      for (const [i, force] of melt.values(frame, axis, 2).entries()) {
        leaning += ((errors[axis]?.[i] ?? 0) - (line[i] ?? 0)) * force;
        squares += force * force;
      }
    }
    // In parts of what a force moves in a step: 1/50 would change the energy of a melt by 6e-5 of it.
    if (frame > 0) expect(Math.abs(leaning / squares), `frame ${frame}`).toBeLessThan(0.02 * interval ** 2);
    before = errors;
  }
});

test.for([4, 8] as const)("float%d: NaN, infinities and what is out of range come back bit for bit", (elementBytes) => {
  const melt = new Melt({ atoms: 40, frames: 12, interval: 0.01, seed: 3 });
  const originals = originalsOf(melt, elementBytes);
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -1e30];
  for (const [i, value] of special.entries()) {
    const line = originals[(3 * i) % 12]?.[i % 3];
    if (line !== undefined) line[(7 * i) % 40] = value;
  }
  const found = roundTrip(SIMD, originals, 1e-3);
  expect(found?.worst).toBeLessThanOrEqual(1e-3);
  expect(found?.worst).toBeGreaterThan(0);
});

test("a NaN keeps the bits that it has", () => {
  const values = new Float64Array(20);
  new BigUint64Array(values.buffer)[7] = 0x7ff8_dead_beef_0001n;
  const source = sourceOf([[values]], 1e-3);
  SIMD.clear();
  const coded = encodeGroup(SIMD, source, []);
  const back = coded && readGroup(SIMD, source, coded, 0, 0, values.slice());
  expect(back && new BigUint64Array(back.buffer)[7]).toBe(0x7ff8_dead_beef_0001n);
});

test("whole numbers come back exactly, and others are not taken as whole", () => {
  const random = new SeededNumbers(8);
  const whole = Array.from({ length: 9 }, () => [
    Float64Array.from({ length: 50 }, () => Math.round((random.next() - 0.5) * 2 ** 30)),
  ]);
  expect(roundTrip(SIMD, whole, 0, "exact")?.worst).toBe(0);
  whole[2]?.[0]?.fill(2 ** 40, 5, 6);
  expect(roundTrip(SIMD, whole, 0, "exact")).toBeUndefined();
});

test("what gains nothing is left to be kept as it is", () => {
  const random = new SeededNumbers(12);
  const noise = Array.from({ length: 4 }, () => [
    Float32Array.from({ length: 500 }, () => (random.next() - 0.5) * 10 ** (60 * random.next() - 30)),
  ]);
  expect(roundTrip(SIMD, noise, 1e-12)).toBeUndefined();
});

test("a damaged block is refused or decodes to something, and never traps", () => {
  const melt = new Melt({ atoms: 30, frames: 9, interval: 0.01, seed: 6 });
  const source = sourceOf(originalsOf(melt, 8), 1e-3);
  SIMD.clear();
  const coded = encodeGroup(SIMD, source, []);
  const bytes = coded?.bytes ?? new Uint8Array(0);
  expect(bytes.length).toBeGreaterThan(100);
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      SIMD.clear();
      if (decodeGroup(SIMD, source, bytes.with(at, (bytes[at] ?? 0) ^ flip), []) === undefined) refused += 1;
    }
    SIMD.clear();
    expect(decodeGroup(SIMD, source, bytes.subarray(0, at), [])).toBeUndefined();
  }
  expect(refused).toBeGreaterThan(bytes.length);
});

test("a melt with a frame every step takes less than 1/21 of its float32", () => {
  const melt = new Melt({ atoms: 500, frames: 100, interval: 0.005, seed: 2 });
  const found = roundTrip(SIMD, originalsOf(melt, 4), 1e-3);
  expect((500 * 3 * 100 * 4) / (found?.bytes.length ?? 1)).toBeGreaterThan(21);
});

test.for(["simd", "scalar"] as const)(
  "%s: a block is checked against the plane that it decodes to, and no other",
  (build) => {
    const core = build === "simd" ? SIMD : SCALAR;
    const melt = new Melt({ atoms: 21, frames: 12, interval: 0.02, seed: 9 });
    const source = sourceOf(originalsOf(melt, 4), 1e-3);
    core.clear();
    const coded = encodeGroup(core, source, []);
    const { bytes, plane } = coded ?? { bytes: new Uint8Array(0), plane: 0 };
    const { calls } = core;
    const [frames, axes, atoms] = [source.frames, source.axes, source.atoms];
    const work = core.reserve(calls.workBytes(frames, axes, atoms));
    const at = core.place(bytes);
    const check = () => calls.checkBlock(at, bytes.length, frames, axes, atoms, plane, 0, 0, work);
    expect(check()).toBe(0);
    const values = core.integers(plane, frames * calls.strideOf(axes, atoms));
    for (const i of values.keys()) {
      values[i] = (values[i] ?? 0) ^ 1;
      expect(check(), `number ${i}`).toBeLessThan(0);
      values[i] = (values[i] ?? 0) ^ 1;
    }
    const block = core.bytes(at, bytes.length);
    let unread = 0;
    for (const i of block.keys()) {
      block[i] = (block[i] ?? 0) ^ 0x80;
      unread += Number(check() === 0);
      block[i] = (block[i] ?? 0) ^ 0x80;
    }
    // Some bits say nothing of these numbers: what fills up a byte, a coefficient where all that it multiplies is alike.
    expect(unread).toBeLessThan(bytes.length / 100);
    expect(check()).toBe(0);
  },
);

test("errors of fixed-point values are those of what they are read as", () => {
  const random = new SeededNumbers(41);
  for (const [elementBytes, Values] of [
    [4, Float32Array],
    [8, Float64Array],
  ] as const) {
    const count = 39;
    const source = new Values(Array.from({ length: count }, () => 20 * random.next() - 10));
    source.set([Number.NaN, Number.POSITIVE_INFINITY, -1e9], 5);
    const found = [SIMD, SCALAR].map((core) => {
      core.clear();
      const [from, fixed, back] = [core.reserve(8 * count), core.reserve(4 * count), core.reserve(8 * count)];
      const sums = [core.reserve(16), core.reserve(16)] as const;
      core.bytes(from, source.byteLength).set(new Uint8Array(source.buffer));
      core.calls.toFixed(from, count, elementBytes, 1e6, 1e-3, fixed, 0);
      core.calls.fromFixed(fixed, count, elementBytes, 1e-3, back);
      for (const at of sums) core.floats(at, 2).fill(0);
      core.calls.worstError(from, back, count, elementBytes, 1e6, sums[0]);
      core.calls.worstFixedError(from, fixed, count, elementBytes, 1e-3, 1e6, sums[1]);
      return sums.map((at) => [...core.floats(at, 2)]);
    });
    const [worst = Number.NaN] = found[0]?.[0] ?? [];
    expect(worst).toBeGreaterThan(1e-4);
    expect(worst).toBeLessThan(0.51e-3);
    for (const all of found) expect(all).toEqual([found[0]?.[0], found[0]?.[0]]);
  }
});
