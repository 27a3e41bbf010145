import type { Address } from "../../tensor.ts";
import { RUNTIME_DOMAIN, type Value } from "../onnx-model.ts";
import type { NodeContext, NodeKernels } from "./node-kernels.ts";

/** How heads lie: `groups` query heads share each of `kvHeads` heads of keys and values. */
interface Heads {
  readonly batch: number;
  readonly T: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Causal attention: the weights of all heads at once, kept for the gradient. */
export function attentionNodes({
  graph,
  places,
  dropped,
}: NodeContext): NodeKernels<"attention" | "attentionGradient"> {
  /** Batches of a · b, either transposed, times alpha. */
  const product = (a: Value, b: Value, [transA, transB]: readonly [number, number], alpha = 1) => {
    const shape = [...a.shape.slice(0, 2), a.shape[2 + transA] ?? 1, b.shape[3 - transB] ?? 1];
    const attributes = { transA, transB, alpha: { float: alpha } };
    return graph.node("FusedMatMul", [a, b], { shape, domain: RUNTIME_DOMAIN, attributes });
  };
  /**
   * Rows of tokens, whose columns are `count` heads, as (batch, kvHeads, rows, width): the queries that share keys are
   * rows of one matrix, so that gradients of keys are sums over them by themselves.
   */
  const byHead = (value: Value, { batch, T, kvHeads }: Heads, count: number) => {
    const width = (value.shape[1] ?? 1) / count;
    const apart = graph.transpose(graph.reshape(value, [batch, T, count, width]), [0, 2, 1, 3]);
    return graph.reshape(apart, [batch, kvHeads, (count / kvHeads) * T, width]);
  };
  const byToken = (value: Value, { batch, T, headDim }: Heads, count: number) => {
    const together = graph.transpose(graph.reshape(value, [batch, count, T, headDim]), [0, 2, 1, 3]);
    return graph.reshape(together, [batch * T, count * headDim]);
  };
  const read = (place: Address, shape: Heads, count: number, stride: number) =>
    byHead(places.read(place, { rows: shape.batch * shape.T, width: count * shape.headDim, stride }), shape, count);
  const left = (weights: Value, draw: Address | undefined, rate: number) =>
    draw === undefined ? weights : dropped(weights, draw, rate);
  const masks = new Map<number, Value>();
  const maskOf = (T: number) => {
    const known = masks.get(T);
    if (known !== undefined) return known;
    const hidden = Float32Array.from({ length: T * T }, (_, at) => (at % T > Math.floor(at / T) ? -Infinity : 0));
    const made = graph.floats(hidden, [T, T]);
    masks.set(T, made);
    return made;
  };
  return {
    attention(
      out: Address,
      q: Address,
      k: Address,
      v: Address,
      logSums: Address,
      _scratch: Address,
      batch: number,
      T: number,
      heads: number,
      kvHeads: number,
      headDim: number,
      qStride: number,
      kStride: number,
      vStride: number,
      scale: number,
      draw: Address | undefined,
      rate: number,
    ) {
      const shape = { batch, T, heads, kvHeads, headDim };
      const queries = read(q, shape, heads, qStride);
      const scores = product(queries, read(k, shape, kvHeads, kStride), [0, 1], scale);
      const apart = graph.reshape(scores, [batch, heads, T, T]);
      const weights = graph.node("Softmax", [graph.node("Add", [apart, maskOf(T)])], { attributes: { axis: -1 } });
      // The gradient takes them from here; other backends keep sums of rows and compute them again.
      places.keep(logSums, weights);
      const together = left(graph.reshape(weights, scores.shape), draw, rate);
      const mixed = product(together, read(v, shape, kvHeads, vStride), [0, 0]);
      places.write(out, byToken(mixed, shape, heads), { rows: batch * T, width: heads * headDim });
    },
    attentionGradient(
      qGrad: Address | undefined,
      kGrad: Address | undefined,
      vGrad: Address | undefined,
      grad: Address,
      out: Address,
      q: Address,
      k: Address,
      v: Address,
      logSums: Address,
      _scratch: Address,
      batch: number,
      T: number,
      heads: number,
      kvHeads: number,
      headDim: number,
      qStride: number,
      kStride: number,
      vStride: number,
      scale: number,
      draw: Address | undefined,
      rate: number,
      addQ: number,
      addK: number,
      addV: number,
    ) {
      const shape = { batch, T, heads, kvHeads, headDim };
      const rows = { rows: batch * T, width: heads * headDim };
      const give = (place: Address, value: Value, count: number, stride: number, add: number) =>
        places.contribute(place, byToken(value, shape, count), add, {
          rows: batch * T,
          width: count * headDim,
          stride,
        });
      const weights = graph.reshape(places.kept(logSums), [batch, kvHeads, (heads / kvHeads) * T, T]);
      const from = read(grad, shape, heads, heads * headDim);
      if (vGrad !== undefined) give(vGrad, product(left(weights, draw, rate), from, [1, 0]), kvHeads, vStride, addV);
      if (qGrad === undefined && kGrad === undefined) return;
      const products = graph.node("Mul", [places.read(grad, rows), places.read(out, rows)]);
      const perHead = graph.reshape(products, [batch * T * heads, headDim]);
      const sums = graph.node("ReduceSum", [perHead, graph.integers([1])], {
        shape: [batch * T * heads, 1],
        attributes: { keepdims: 1 },
      });
      const means = byHead(graph.reshape(sums, [batch * T, heads]), shape, heads);
      const toWeights = left(product(from, read(v, shape, kvHeads, vStride), [0, 1]), draw, rate);
      const apart = graph.node("Sub", [toWeights, means]);
      const scores = graph.node("Mul", [weights, apart]);
      const [queries, keys] = [read(q, shape, heads, qStride), read(k, shape, kvHeads, kStride)];
      if (qGrad !== undefined) give(qGrad, product(scores, keys, [0, 0], scale), heads, qStride, addQ);
      if (kGrad !== undefined) give(kGrad, product(scores, queries, [1, 0], scale), kvHeads, kStride, addK);
    },
  };
}
