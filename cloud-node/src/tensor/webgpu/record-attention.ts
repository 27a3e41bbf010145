import type { Kernels } from "../kernels.ts";
import type { DispatchRecorder } from "./dispatch-recorder.ts";
import { dropoutNumbers } from "./record-elementwise.ts";
import { type ProductBatch, recordProduct, TRIANGLE } from "./record-products.ts";

type Names = "rope" | "attention" | "attentionGradient" | "cachedAttention";

/** Where attention may keep weights. */
export interface WeightScratch {
  /** A place of scratch. */
  readonly at: (offset: number) => number;
  /** Numbers that are kept at a time; a sequence's are kept together, however many. */
  readonly most: number;
}

/**
 * Attention as products of matrices over all heads at once, with weights of every query and key in scratch; above the
 * diagonal nothing is computed.
 */
export function recordAttention(to: DispatchRecorder, scratch: WeightScratch): Pick<Kernels, Names> {
  return {
    rope(out, x, table, positions, rows, T, heads, headDim, outStride, xStride, sign, add) {
      const numbers = { rows, T, heads, headDim, outStride, xStride, sign, add };
      to.each("attention.rope", (rows * heads * headDim) / 2, { out, x, table, positions }, numbers);
    },
    attention(out, q, k, v, logSums, _scratch, batch, T, heads, kvHeads, headDim, ...others) {
      const [qStride, kStride, vStride, scale, draw, rate] = others;
      const shape = { T, heads, kvHeads, headDim };
      eachSlice(to, batch, heads * T * T, scratch.most, (first, sequences) => {
        const slice = new Slice(to, shape, sequences, scratch);
        const row = first * T;
        const sums = logSums + row * heads;
        slice.scores({ place: q + row * qStride, stride: qStride }, { place: k + row * kStride, stride: kStride });
        const numbers = { T, scale, first: row * heads * T, ...dropoutNumbers(rate) };
        to.rows(
          "attention.softmaxRows",
          sequences * heads * T,
          { weights: slice.weights, logSums: sums, draw },
          numbers,
        );
        slice.mix(
          { place: out + row * heads * headDim, stride: heads * headDim },
          slice.weights,
          { place: v + row * vStride, stride: vStride },
          0,
        );
      });
    },
    attentionGradient(...given) {
      const [qGrad, kGrad, vGrad, grad, out, q, k, v, logSums, _scratch, batch, T, heads, ...others] = given;
      const [kvHeads, headDim, qStride, kStride, vStride, scale, draw, rate, addQ, addK, addV] = others;
      const shape = { T, heads, kvHeads, headDim };
      const width = heads * headDim;
      eachSlice(to, batch, 2 * heads * T * T, scratch.most, (first, sequences) => {
        const slice = new Slice(to, shape, sequences, scratch);
        const row = first * T;
        const rows = (place: number, stride: number) => ({ place: place === 0 ? 0 : place + row * stride, stride });
        const [queries, keys, values] = [rows(q, qStride), rows(k, kStride), rows(v, vStride)];
        const slope = rows(grad, width);
        const { weights, gradients } = slice;
        const numbers = { T, heads, headDim, scale, first: row * heads * T, ...dropoutNumbers(rate) };
        slice.scores(queries, keys);
        const count = sequences * heads * T;
        const places = { weights, logSums: logSums + row * heads };
        to.each("attention.weightRows", count * T, places, { rows: count, T, scale });
        slice.products(gradients, slope, values);
        const back = { out: gradients, x: rows(out, width).place, weights, grad: slope.place, draw };
        to.rows("attention.scoreGradientRows", count, back, numbers);
        slice.gather(rows(vGrad, vStride), weights, slope, addV);
        slice.mix(rows(qGrad, qStride), gradients, keys, addQ);
        slice.gather(rows(kGrad, kStride), gradients, queries, addK);
      });
    },
    cachedAttention(out, q, k, v, keys, values, position, _scratch, batch, capacity, heads, kvHeads, headDim, scale) {
      to.needScratch(batch * heads * capacity);
      const numbers = { batch, capacity, heads, kvHeads, headDim, scale };
      to.each("cached-attention.remember", batch * kvHeads * headDim, { k, v, keys, values, position }, numbers);
      const places = { out, q, keys, values, position, scores: scratch.at(0) };
      to.groups("cached-attention.cachedAttention", [batch * heads, 1, 1], places, numbers);
    },
  };
}

interface HeadShape {
  readonly T: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Rows of heads, one beside the other; place 0 where they are not wanted. */
interface HeadRows {
  readonly place: number;
  readonly stride: number;
}

/** Some sequences, and the products of their heads. */
class Slice {
  /** (sequences · heads, T, T) */
  readonly weights: number;
  /** Likewise, behind them. */
  readonly gradients: number;
  readonly #to: DispatchRecorder;
  readonly #shape: HeadShape;
  readonly #sequences: number;

  constructor(to: DispatchRecorder, shape: HeadShape, sequences: number, scratch: WeightScratch) {
    this.#to = to;
    this.#shape = shape;
    this.#sequences = sequences;
    this.weights = scratch.at(0);
    this.gradients = scratch.at(sequences * shape.heads * shape.T * shape.T);
  }

  /** weights = queries · keysᵀ */
  scores(queries: HeadRows, keys: HeadRows): void {
    this.products(this.weights, queries, keys);
  }

  /** out (T, T) = a · bᵀ, on and below the diagonal; b has the heads of keys and values. */
  products(out: number, a: HeadRows, b: HeadRows): void {
    const { T, heads, kvHeads, headDim } = this.#shape;
    recordProduct(this.#to, {
      places: { out, a: a.place, b: b.place },
      ...{ rows: T, inner: headDim, columns: T, outStride: T, aStride: a.stride, bStride: b.stride },
      ...{ bTransposed: true, triangle: TRIANGLE.out },
      batch: {
        ...this.#batch(heads, heads / kvHeads),
        ...{ outSequence: heads * T * T, outHead: T * T },
        ...{ aSequence: T * a.stride, aHead: headDim, bSequence: T * b.stride, bHead: headDim },
      },
    });
  }

  /** out, in the heads of queries, = w · b, w (T, T) zero above the diagonal, b in the heads of keys and values. */
  mix(out: HeadRows, w: number, b: HeadRows, add: number): void {
    if (out.place === 0) return;
    const { T, heads, kvHeads, headDim } = this.#shape;
    recordProduct(this.#to, {
      places: { out: out.place, a: w, b: b.place },
      ...{ rows: T, inner: T, columns: headDim, outStride: out.stride, aStride: T, bStride: b.stride },
      ...{ triangle: TRIANGLE.a, add },
      batch: {
        ...this.#batch(heads, heads / kvHeads),
        ...{ outSequence: T * out.stride, outHead: headDim, aSequence: heads * T * T, aHead: T * T },
        ...{ bSequence: T * b.stride, bHead: headDim },
      },
    });
  }

  /** out, in the heads of keys and values, = wᵀ · b, b in those of queries: the sum over the queries' heads that share one, in their order. */
  gather(out: HeadRows, w: number, b: HeadRows, add: number): void {
    if (out.place === 0) return;
    const { T, heads, kvHeads, headDim } = this.#shape;
    const share = heads / kvHeads;
    for (let member = 0; member < share; member++) {
      recordProduct(this.#to, {
        places: { out: out.place, a: w + member * T * T, b: b.place + member * headDim },
        ...{ rows: T, inner: T, columns: headDim, outStride: out.stride, aStride: T, bStride: b.stride },
        ...{ aTransposed: true, triangle: TRIANGLE.aBelow, add: member === 0 ? add : 1 },
        batch: {
          ...this.#batch(kvHeads, 1),
          ...{ outSequence: T * out.stride, outHead: headDim, aSequence: heads * T * T, aHead: share * T * T },
          ...{ bSequence: T * b.stride, bHead: share * headDim },
        },
      });
    }
  }

  #batch(heads: number, share: number): Pick<ProductBatch, "sequences" | "heads" | "share"> {
    return { sequences: this.#sequences, heads, share };
  }
}

/** As many sequences at a time as scratch is to hold, one at least. */
function eachSlice(
  to: DispatchRecorder,
  batch: number,
  weights: number,
  most: number,
  act: (first: number, sequences: number) => void,
): void {
  const together = Math.min(batch, Math.max(1, Math.floor(most / weights)));
  to.needScratch(weights * together);
  for (let first = 0; first < batch; first += together) act(first, Math.min(together, batch - first));
}
