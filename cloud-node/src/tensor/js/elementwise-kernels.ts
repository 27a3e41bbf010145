import type { Kernels } from "../kernels.ts";

type Names = "fill" | "copy" | "scale" | "add" | "multiply" | "columnSums";

/** A number that a kernel reads: every address is inside the arena. */
export type Reader = (at: number) => number;

/** Arithmetic number by number, as formulas. @param m  the arena */
export function elementwiseKernels(m: Float64Array): Pick<Kernels, Names> {
  const get = readerOf(m);
  const kept = keeperOf(m);
  return {
    fill(out, rows, width, stride, number) {
      for (let row = 0; row < rows; row++) m.fill(number, out + row * stride, out + row * stride + width);
    },
    copy(out, x, count, add) {
      for (let i = 0; i < count; i++) m[out + i] = kept(out + i, add) + get(x + i);
    },
    scale(out, x, count, factor, add) {
      for (let i = 0; i < count; i++) m[out + i] = kept(out + i, add) + factor * get(x + i);
    },
    add(out, a, b, count, period) {
      for (let i = 0; i < count; i++) m[out + i] = get(a + i) + get(b + (i % period));
    },
    multiply(out, a, b, count, add) {
      for (let i = 0; i < count; i++) m[out + i] = kept(out + i, add) + get(a + i) * get(b + i);
    },
    columnSums(out, x, rows, columns, add) {
      for (let column = 0; column < columns; column++) {
        let sum = kept(out + column, add);
        for (let row = 0; row < rows; row++) sum += get(x + row * columns + column);
        m[out + column] = sum;
      }
    },
  };
}

/** Reads of an arena without a test for `undefined` at every one. */
export function readerOf(m: Float64Array): Reader {
  return (at) => m[at] as number;
}

/** What a contribution adds to: nothing when it is the first, whatever is there, even what is no number. */
export function keeperOf(m: Float64Array): (at: number, add: number) => number {
  return (at, add) => (add === 0 ? 0 : (m[at] as number));
}
