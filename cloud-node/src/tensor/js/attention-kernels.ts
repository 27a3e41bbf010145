import type { Kernels } from "../kernels.ts";
import { dropoutFactor } from "./dropout-kernels.ts";
import { keeperOf, readerOf } from "./elementwise-kernels.ts";

/** Attention and rotary positions, as formulas. @param m  the arena */
export function attentionKernels(
  m: Float64Array,
): Pick<Kernels, "rope" | "attention" | "attentionGradient" | "cachedAttention"> {
  const get = readerOf(m);
  const kept = keeperOf(m);
  const dot = (a: number, b: number, count: number) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += get(a + i) * get(b + i);
    return sum;
  };
  const addTimes = (out: number, x: number, count: number, factor: number) => {
    for (let i = 0; i < count; i++) m[out + i] = get(out + i) + factor * get(x + i);
  };
  return {
    rope(out, x, table, positions, rows, T, heads, headDim, outStride, xStride, sign, add) {
      const half = headDim / 2;
      for (let row = 0; row < rows; row++) {
        const position = positions === 0 ? row % T : get(positions + row);
        for (let pair = 0; pair < heads * half; pair++) {
          const i = pair % half;
          const cosine = get(table + 2 * position * half + i);
          const sine = sign * get(table + (2 * position + 1) * half + i);
          const column = Math.floor(pair / half) * headDim + i;
          const [from, to] = [x + row * xStride + column, out + row * outStride + column];
          const [first, second] = [get(from), get(from + half)];
          m[to] = kept(to, add) + first * cosine - second * sine;
          m[to + half] = kept(to + half, add) + first * sine + second * cosine;
        }
      }
    },
    attention(
      out,
      q,
      k,
      v,
      logSums,
      _scratch,
      batch,
      T,
      heads,
      kvHeads,
      headDim,
      qStride,
      kStride,
      vStride,
      scale,
      draw,
      rate,
    ) {
      const factor = dropoutFactor(get, draw, rate);
      for (let at = 0; at < batch * heads * T; at++) {
        const [sequence, head, row] = [Math.floor(at / (heads * T)), Math.floor(at / T) % heads, at % T];
        const kvHead = Math.floor((head * kvHeads) / heads);
        const first = sequence * T;
        const query = q + (first + row) * qStride + head * headDim;
        const key = (other: number) => k + (first + other) * kStride + kvHead * headDim;
        const scores = Array.from({ length: row + 1 }, (_, other) => scale * dot(query, key(other), headDim));
        const largest = Math.max(...scores);
        const logSum = largest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - largest), 0));
        m[logSums + at] = logSum;
        const to = out + (first + row) * heads * headDim + head * headDim;
        m.fill(0, to, to + headDim);
        for (const [other, score] of scores.entries()) {
          const weight = factor(at * T + other) * Math.exp(score - logSum);
          addTimes(to, v + (first + other) * vStride + kvHead * headDim, headDim, weight);
        }
      }
    },
    attentionGradient(
      qGrad,
      kGrad,
      vGrad,
      grad,
      out,
      q,
      k,
      v,
      logSums,
      _scratch,
      batch,
      T,
      heads,
      kvHeads,
      headDim,
      qStride,
      kStride,
      vStride,
      scale,
      draw,
      rate,
      addQ,
      addK,
      addV,
    ) {
      const factor = dropoutFactor(get, draw, rate);
      const clear = (at: number, stride: number, width: number, add: number) => {
        if (at === 0 || add === 1) return;
        for (let row = 0; row < batch * T; row++) m.fill(0, at + row * stride, at + row * stride + width);
      };
      clear(qGrad, qStride, heads * headDim, addQ);
      clear(kGrad, kStride, kvHeads * headDim, addK);
      clear(vGrad, vStride, kvHeads * headDim, addV);
      for (let at = 0; at < batch * heads * T; at++) {
        const [sequence, head, row] = [Math.floor(at / (heads * T)), Math.floor(at / T) % heads, at % T];
        const kvColumn = Math.floor((head * kvHeads) / heads) * headDim;
        const own = sequence * T + row;
        const column = head * headDim;
        const from = grad + own * heads * headDim + column;
        const mean = dot(from, out + own * heads * headDim + column, headDim);
        for (let other = sequence * T; other <= own; other++) {
          const [key, value] = [other * kStride + kvColumn, other * vStride + kvColumn];
          const score = scale * dot(q + own * qStride + column, k + key, headDim);
          const weight = Math.exp(score - get(logSums + at));
          const share = factor(at * T + other - sequence * T);
          const scoreGrad = scale * weight * (share * dot(from, v + value, headDim) - mean);
          if (vGrad !== 0) addTimes(vGrad + value, from, headDim, share * weight);
          if (qGrad !== 0) addTimes(qGrad + own * qStride + column, k + key, headDim, scoreGrad);
          if (kGrad !== 0) addTimes(kGrad + key, q + own * qStride + column, headDim, scoreGrad);
        }
      }
    },
    cachedAttention(out, q, k, v, keys, values, position, _scratch, batch, capacity, heads, kvHeads, headDim, scale) {
      const kvWidth = kvHeads * headDim;
      const newest = get(position);
      for (let sequence = 0; sequence < batch; sequence++) {
        const start = sequence * capacity * kvWidth;
        m.copyWithin(keys + start + newest * kvWidth, k + sequence * kvWidth, k + (sequence + 1) * kvWidth);
        m.copyWithin(values + start + newest * kvWidth, v + sequence * kvWidth, v + (sequence + 1) * kvWidth);
        for (let head = 0; head < heads; head++) {
          const at = (sequence * heads + head) * headDim;
          const column = start + Math.floor((head * kvHeads) / heads) * headDim;
          const score = (_: unknown, other: number) => scale * dot(q + at, keys + column + other * kvWidth, headDim);
          const scores = Array.from({ length: newest + 1 }, score);
          const largest = Math.max(...scores);
          const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
          m.fill(0, out + at, out + at + headDim);
          for (const [other, score] of scores.entries()) {
            addTimes(out + at, values + column + other * kvWidth, headDim, Math.exp(score - largest) / sum);
          }
        }
      }
    },
  };
}
