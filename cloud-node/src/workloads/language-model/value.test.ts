import fc from "fast-check";
import { expect, test } from "vitest";
import { erf, erfc } from "../../tensor/error-function.ts";
import { Tape } from "./tape.ts";
import { dot, logSumExp, softmax, sum, Value } from "./value.ts";

const DELTA = 1e-6;

/** Numbers that are made of nothing, on a tape of their own. */
function leavesOf(...numbers: readonly number[]): Value[] {
  const tape = new Tape();
  return numbers.map((number) => new Value(tape, number));
}

/** Central difference of f at xs by its k-th argument. */
function slope(f: (...xs: Value[]) => Value, xs: readonly number[], k: number): number {
  const at = (shift: number) => f(...leavesOf(...xs.map((x, i) => (i === k ? x + shift : x)))).data;
  return (at(DELTA) - at(-DELTA)) / (2 * DELTA);
}

function expectSlopes(f: (...xs: Value[]) => Value, xs: readonly number[]): void {
  const leaves = leavesOf(...xs);
  f(...leaves).backward();
  for (const [k, leaf] of leaves.entries()) {
    const numerical = slope(f, xs, k);
    expect(Math.abs(leaf.grad - numerical)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(numerical)));
  }
}

const OPERATIONS: Readonly<Record<string, (x: Value, y: Value) => Value>> = {
  add: (x, y) => x.add(y).add(3),
  sub: (x, y) => x.sub(y).sub(3),
  mul: (x, y) => x.mul(y).mul(-2),
  div: (x, y) => x.div(y.mul(y).add(1)).div(4),
  pow: (x, y) => x.mul(x).add(1).pow(-0.5).add(y.pow(3)),
  exp: (x, y) => x.exp().mul(y),
  log: (x, y) => x.mul(x).add(0.1).log().mul(y),
  tanh: (x, y) => x.tanh().mul(y.tanh()),
  gelu: (x, y) => x.gelu().mul(y.gelu()),
  silu: (x, y) => x.silu().mul(y.silu()),
  sum: (x, y) => sum([x, y, x]).mul(y),
  dot: (x, y) => dot([x, y, x], [y, y, x]),
  logSumExp: (x, y) => logSumExp([x, y, x.mul(y)]),
  softmax: (x, y) => dot(softmax([x, y, x.mul(y)]), [x, y, y]),
};

test.each(Object.entries(OPERATIONS))("the derivative of %s is that of central differences", (_, f) => {
  const number = fc.double({ min: -3, max: 3, noNaN: true });
  fc.assert(fc.property(number, number, (x, y) => expectSlopes(f, [x, y])));
});

test("relu passes what is above zero, and its slope with it", () => {
  expect(leavesOf(-1, 0, 2).map((x) => x.relu().data)).toEqual([0, 0, 2]);
  expectSlopes((x) => x.relu(), [2]);
  expectSlopes((x) => x.relu(), [-2]);
});

test("a value that is used several times gets the slopes of all uses", () => {
  const [x] = leavesOf(3) as [Value];
  x.mul(x).add(x).mul(x).backward();
  expect(x.grad).toBe(3 * 9 + 2 * 3);
});

test("dot products that share their factors pass on to all of them", () => {
  const w = leavesOf(1, 2, 3, 4);
  const [a, b, c, d] = w as [Value, Value, Value, Value];
  const x = [a.mul(b), c.mul(d)];
  const first = dot([a, c], x);
  const root = dot([dot([b, d], x), dot([first, d], x), first], [first, a, d]);
  root.backward();
  const f = (a: number, b: number, c: number, d: number) => {
    const [y, z] = [a * b, c * d];
    const one = a * y + c * z;
    return (b * y + d * z) * one + (one * y + d * z) * a + one * d;
  };
  for (const [k, { grad }] of w.entries()) {
    const at = (shift: number) =>
      f(...(w.map(({ data }, i) => data + (i === k ? shift : 0)) as [number, number, number, number]));
    expect(grad).toBeCloseTo((at(DELTA) - at(-DELTA)) / (2 * DELTA), 3);
  }
});

test("micrograd's own example has the gradients that its README prints", () => {
  const [a, b, ten] = leavesOf(-4, 2, 10) as [Value, Value, Value];
  let c = a.add(b);
  let d = a.mul(b).add(b.pow(3));
  c = c.add(c.add(1));
  c = c.add(c.add(1).sub(a));
  d = d.add(d.mul(2).add(b.add(a).relu()));
  d = d.add(d.mul(3).add(b.sub(a).relu()));
  const e = c.sub(d);
  const f = e.pow(2);
  const g = f.mul(0.5).add(ten.div(f));
  g.backward();
  expect([g.data, a.grad, b.grad].map((x) => x.toFixed(4))).toEqual(["24.7041", "138.8338", "645.5773"]);
});

test("a chain far deeper than a call stack is differentiated", () => {
  const [x] = leavesOf(1) as [Value];
  let y = x;
  for (let i = 0; i < 300_000; i += 1) y = y.add(x);
  y.backward();
  expect(x.grad).toBe(300_001);
});

test("a graph whose paths double with every step is walked once for each node", () => {
  const [x] = leavesOf(1) as [Value];
  let y = x;
  for (let i = 0; i < 200; i += 1) y = y.add(y).mul(0.5);
  y.backward();
  expect(x.grad).toBe(1);
});

test("a graph that is gone through again adds to what it began with, and to nothing in between", () => {
  const [x, y] = leavesOf(2, 5) as [Value, Value];
  const square = x.mul(x);
  const root = square.mul(y);
  for (const times of [1, 2, 3]) {
    root.backward();
    expect([x.grad, y.grad, square.grad]).toEqual([20 * times, 4 * times, 5]);
  }
});

test("what has no part in the root passes nothing on, whatever its slopes are", () => {
  const [x, zero] = leavesOf(3, 0) as [Value, Value];
  const aside = zero.log().mul(x);
  const root = x.mul(x);
  aside.backward();
  [x.grad, zero.grad] = [0, 0];
  root.backward();
  expect([x.grad, zero.grad]).toEqual([6, 0]);
});

test("a tape that is wound back calculates as one that is new", () => {
  const [x, y] = leavesOf(2, 5) as [Value, Value];
  const { tape } = x;
  const leaves = tape.length;
  const root = () => softmax([x, y, x.mul(y)])[1] as Value;
  const first = root();
  first.backward();
  const found = [first.at, first.data, x.grad, y.grad];
  tape.rewind(leaves);
  [x.grad, y.grad] = [0, 0];
  const again = root();
  again.backward();
  expect([again.at, again.data, x.grad, y.grad]).toEqual(found);
});

test("sums of exponentials overflow nowhere", () => {
  const large = leavesOf(1000, 1001, -2000);
  expect(logSumExp(large).data).toBeCloseTo(1001 + Math.log1p(Math.exp(-1)), 10);
  expect(sum(softmax(large)).data).toBeCloseTo(1, 12);
});

test.each([
  // NIST Digital Library of Mathematical Functions and Abramowitz and Stegun, table 7.1.
  [0, 0],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2, 0.9953222650189527],
  [3, 0.9999779095030014],
  [4, 0.9999999845827421],
  [-1, -0.8427007929497149],
  [7, 1],
])("erf(%d) is that of the tables", (x, expected) => {
  expect(erf(x)).toBeCloseTo(expected, 14);
  if (x >= 0) expect(erfc(x)).toBeCloseTo(1 - expected, 14);
});
