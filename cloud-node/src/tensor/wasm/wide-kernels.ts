import { uniformNumbers } from "../random.ts";
import type { TensorExports } from "./tensor-module.ts";

/** Kernels that are faster in vectors of 256 bits; all others stay as WebAssembly has them. */
export const WIDE_KERNELS = [
  "matmul",
  "matmulInputGradient",
  "matmulWeightGradient",
  "attention",
  "attentionGradient",
  "gelu",
  "adamw",
] as const satisfies readonly (keyof TensorExports)[];

/** Numbers that kernels are given, all of one memory: a, b, c and d are read or added to, of `out` and `other` they write. */
const REGION = 20_000;
const REGIONS = 6;
const PAGE_BYTES = 65_536;

type Places = Readonly<Record<"a" | "b" | "c" | "d" | "out" | "other" | "scratch", number>>;

/**
 * Rows, inner, columns: whole tiles and what is left of them in both directions, half a tile, more blocks than one in each
 * direction, depths that end the unrolled loops at each of their steps, and a row alone, which is not packed.
 */
const PRODUCTS = [
  [13, 7, 24],
  [12, 1, 37],
  [5, 2, 16],
  [6, 3, 64],
  [150, 5, 9],
  [7, 390, 33],
  [3, 4, 530],
  [1, 390, 10],
] as const;
/** T, heads, kvHeads, headDim: less than a block of queries, two, and a group of queries for each key. */
const ATTENTION = [
  [9, 1, 1, 8],
  [70, 2, 1, 20],
  [64, 2, 2, 16],
] as const;
/** Strips, pairs of vectors, and what is left of both. */
const COUNTS = [3, 16, 256, 301] as const;
const ADD = [0, 1] as const;

/**
 * Whether two builds give the same bits by the wide kernels, on numbers and shapes that lead through every loop of theirs.
 * V8's option is experimental, and may compile a sum wrongly: what this does not find equal is not used.
 */
export function haveSameBits(
  one: (memory: WebAssembly.Memory) => TensorExports,
  other: (memory: WebAssembly.Memory) => TensorExports,
): boolean {
  const numbers = uniformNumbers(REGIONS * REGION, 1, 1, "wide-kernels");
  const runs = [one, other].map((instantiate) => new Trial(instantiate, numbers));
  return trials().every((act) => {
    const [first, second] = runs.map((run) => run.bitsAfter(act));
    return first !== undefined && second !== undefined && first.equals(second);
  });
}

type Act = (kernels: TensorExports, places: Places) => void;

function trials(): Act[] {
  const products = PRODUCTS.flatMap(([rows, inner, columns]) =>
    ADD.map(
      (flag): Act =>
        (kernels, { a, b, c, d, out, other }) => {
          const [bias, residual] = flag ? [c, d] : [0, 0];
          kernels.matmul(out, a, b, rows, inner, columns, flag, bias, residual);
          kernels.matmulInputGradient(other, out, b, rows, inner, columns, flag, flag);
          kernels.matmulWeightGradient(d, a, out, rows, inner, columns, flag, flag);
        },
    ),
  );
  const attention = ATTENTION.flatMap(([T, heads, kvHeads, headDim]) =>
    ADD.map(
      (flag): Act =>
        (kernels, { a, b, c, d, out, other, scratch }) => {
          const [width, kvWidth] = [heads * headDim, kvHeads * headDim];
          const shape = [1, T, heads, kvHeads, headDim, width, kvWidth, kvWidth, 0.3, flag ? other : 0, 0.2] as const;
          const [kGrad, vGrad] = [b + 4 * T * width, a + 4 * T * width];
          kernels.attention(out, a, b, c, other + 64, scratch, ...shape);
          kernels.attentionGradient(d, kGrad, vGrad, c, out, a, b, c, other + 64, scratch, ...shape, flag, flag, flag);
        },
    ),
  );
  const counts = COUNTS.map(
    (count): Act =>
      (kernels, { a, b, c, d, out, other }) => {
        kernels.gelu(out, other, a, count);
        kernels.adamw(d, a, b, c, count, 0.7, 0.9, 0.99, 1e-2, 3, 1e-8, 1e-3);
      },
  );
  return [...products, ...attention, ...counts];
}

/** An instance over a memory of its own. */
class Trial {
  readonly #given: Float32Array;
  readonly #numbers: Float32Array;
  readonly #kernels: TensorExports;
  readonly #places: Places;

  /** @param given  what every act begins with */
  constructor(instantiate: (memory: WebAssembly.Memory) => TensorExports, given: Float32Array) {
    const smallest = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const { heapStart, WORK_BYTES } = instantiate(smallest);
    const start = heapStart();
    const at = (region: number) => start + 4 * REGION * region;
    const scratch = at(REGIONS);
    const workArea = at(REGIONS + 1);
    const pages = Math.ceil((workArea + Number(WORK_BYTES.value)) / PAGE_BYTES) + 1;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#given = given;
    this.#numbers = new Float32Array(memory.buffer, start, given.length);
    this.#kernels = instantiate(memory);
    this.#kernels.setWorkArea(workArea);
    this.#places = { a: at(0), b: at(1), c: at(2), d: at(3), out: at(4), other: at(5), scratch };
  }

  /** All numbers but what kernels keep for themselves. */
  bitsAfter(act: Act): Buffer {
    this.#numbers.set(this.#given);
    act(this.#kernels, this.#places);
    const { buffer, byteOffset, byteLength } = this.#numbers;
    return Buffer.from(buffer, byteOffset, byteLength);
  }
}
