import { attentionScratch } from "../kernels.ts";
import { checkContiguous, checkShape, type Recorder } from "../recorder.ts";
import { rotationTable } from "../rotation-table.ts";
import { rowsOf, sizeOf, type Tensor, widthOf } from "../tensor.ts";
import { TensorError } from "../tensor-error.ts";
import type { Dropout } from "./dropout.ts";

/** How queries, keys and values are cut into sequences and heads. */
export interface AttentionShape {
  /** Sequences. */
  readonly B: number;
  /** Rows of a sequence. */
  readonly T: number;
  readonly heads: number;
  /** Divides `heads`: each is shared by as many query heads. As many as `heads` when absent. */
  readonly kvHeads?: number;
  readonly headDim: number;
  /** Of the products, before the softmax: 1/√headDim when absent. */
  readonly scale?: number;
  /** Of the weights, after the softmax; not with a cache. */
  readonly dropout?: Dropout;
}

export interface RopeShape {
  readonly heads: number;
  readonly headDim: number;
  /** Base of the angles' geometric series. */
  readonly theta: number;
  /** Rows of a sequence: a row's position is its number modulo T; positions go up to T - 1. */
  readonly T: number;
  /** (rows), whole numbers below T: the positions, where rows are no whole sequences. */
  readonly positions?: Tensor;
}

/** Causal attention, in every sequence by itself. @see Vaswani et al. 2017, section 3.2; Ainslie et al. 2023, "GQA" */
export function causalAttention(recorder: Recorder, q: Tensor, k: Tensor, v: Tensor, shape: AttentionShape): Tensor {
  const { B, T, heads, headDim, kvHeads = heads, scale = 1 / Math.sqrt(headDim), dropout } = shape;
  checkHeads(heads, kvHeads);
  const rows = B * T;
  checkShape("causalAttention", "q", [rowsOf(q), widthOf(q)], [rows, heads * headDim]);
  checkShape("causalAttention", "k", [rowsOf(k), widthOf(k)], [rows, kvHeads * headDim]);
  checkShape("causalAttention", "v", [rowsOf(v), widthOf(v)], [rows, kvHeads * headDim]);
  const logSums = recorder.reserve([B, heads, T]);
  const scratch = recorder.scratch(attentionScratch(T, headDim));
  const draw = dropout && recorder.addDropout(dropout.name, dropout.rate, B * heads * T * T);
  const strides = [q.stride, k.stride, v.stride] as const;
  const sizes = [B, T, heads, kvHeads, headDim, ...strides, scale, draw, dropout?.rate ?? 0] as const;
  const out = recorder.result([...q.shape.slice(0, -1), heads * headDim], [q, k, v], (tape, grad) => {
    const [toQ, toK, toV] = [tape.giveIfNeeded(q), tape.giveIfNeeded(k), tape.giveIfNeeded(v)];
    const places = [toQ.address, toK.address, toV.address] as const;
    const adds = [toQ.add, toK.add, toV.add] as const;
    tape.call("attentionGradient", ...places, grad, out, q, k, v, logSums, scratch, ...sizes, ...adds);
  });
  recorder.call("attention", out, q, k, v, logSums, scratch, ...sizes);
  return out;
}

/** Attention of one new row of every sequence over a cache of those before it; it has no gradient. */
export function cachedAttention(
  recorder: Recorder,
  [q, k, v]: readonly [Tensor, Tensor, Tensor],
  position: Tensor,
  shape: Omit<AttentionShape, "T" | "dropout"> & { readonly capacity: number },
): Tensor {
  const { B, capacity, heads, headDim, kvHeads = heads, scale = 1 / Math.sqrt(headDim) } = shape;
  checkHeads(heads, kvHeads);
  checkContiguous("cachedAttention", q, k, v);
  checkShape("cachedAttention", "q", [rowsOf(q), widthOf(q)], [B, heads * headDim]);
  checkShape("cachedAttention", "k", [rowsOf(k), widthOf(k)], [B, kvHeads * headDim]);
  checkShape("cachedAttention", "v", [rowsOf(v), widthOf(v)], [B, kvHeads * headDim]);
  recorder.limit("cachedAttention", position, 0, capacity);
  const keys = recorder.reserve([B, capacity, kvHeads * headDim]);
  const values = recorder.reserve([B, capacity, kvHeads * headDim]);
  const scratch = recorder.scratch(capacity);
  const out = recorder.result(q.shape, [q, k, v], undefined);
  const sizes = [B, capacity, heads, kvHeads, headDim, scale] as const;
  recorder.call("cachedAttention", out, q, k, v, keys, values, position, scratch, ...sizes);
  return out;
}

/** Rotary positions, halves of a head rotated against each other. @see Su et al. 2021, "RoFormer" */
export function rope(recorder: Recorder, x: Tensor, { heads, headDim, theta, T, positions }: RopeShape): Tensor {
  if (headDim % 2 !== 0) throw new TensorError("bad-value", `rope over heads of ${headDim}`, "use an even headDim");
  const [rows, width] = [rowsOf(x), widthOf(x)];
  checkShape("rope", "x", [rows, width], [rows, heads * headDim]);
  if (positions !== undefined) checkShape("rope", "positions", [sizeOf(positions.shape)], [rows]);
  if (positions !== undefined) recorder.limit("rope", positions, 0, T);
  const turns = () => rotationTable(T, headDim, theta);
  const table = recorder.constant(`rope ${T} ${headDim} ${theta}`, [T, 2, headDim / 2], turns);
  const sizes = [rows, T, heads, headDim] as const;
  const out = recorder.result(x.shape, [x], (tape, grad) => {
    const { address, add } = tape.give(x);
    tape.call("rope", address, grad, table, positions, ...sizes, x.stride, width, -1, add);
  });
  recorder.call("rope", out, x, table, positions, ...sizes, width, x.stride, 1, 0);
  return out;
}

function checkHeads(heads: number, kvHeads: number): void {
  if (heads % kvHeads === 0) return;
  const problem = `${heads} query heads over ${kvHeads} heads of keys and values`;
  throw new TensorError("shape-mismatch", problem, "the second must divide the first");
}
