import type { Kernels } from "../kernels.ts";
import { mixWords } from "../random.ts";
import { keeperOf, type Reader, readerOf } from "./elementwise-kernels.ts";

/** Dropout, as a formula. @param m  the arena */
export function dropoutKernels(m: Float64Array): Pick<Kernels, "dropout"> {
  const get = readerOf(m);
  const kept = keeperOf(m);
  return {
    dropout(out, x, residual, draw, count, rate, add) {
      const factor = dropoutFactor(get, draw, rate);
      for (let i = 0; i < count; i++) {
        const base = residual === 0 ? kept(out + i, add) : get(residual + i);
        m[out + i] = base + factor(i) * get(x + i);
      }
    },
  };
}

/** What numbers are multiplied by, by their place. @param draw  0 for none */
export function dropoutFactor(get: Reader, draw: number, rate: number): (place: number) => number {
  if (draw === 0 || get(draw + 2) === 0) return () => 1;
  const [key, first] = [get(draw) >>> 0, get(draw + 1) >>> 0];
  const threshold = Math.floor(rate * 2 ** 32);
  const grown = Math.fround(1 / (1 - rate));
  return (place) => (mixWords(key, (first + place) >>> 0) < threshold ? 0 : grown);
}
