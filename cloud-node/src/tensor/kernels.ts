/**
 * The kernels that a program is made of; every backend has all of them, under these names.
 *
 * Arguments are numbers alone, so that a call can cross into WebAssembly as it is. A place (`out`, `x`, …) is an
 * address in the backend's own unit; 0 stands for "none" where a kernel says so. Matrices are row-major; strides count
 * numbers. An `add…` flag of 1 adds to what is there, 0 replaces it. No output may overlap an input unless said.
 */
export interface Kernels {
  /** out (rows, width) = number. */
  fill(out: number, rows: number, width: number, stride: number, number: number): void;
  /** out = x, or out += x. */
  copy(out: number, x: number, count: number, add: number): void;
  /** out = factor · x, or out += factor · x. `out` may be `x`. */
  scale(out: number, x: number, count: number, factor: number, add: number): void;
  /** out[i] = a[i] + b[i mod period]. */
  add(out: number, a: number, b: number, count: number, period: number): void;
  /** out = a · b elementwise, or out += a · b. */
  multiply(out: number, a: number, b: number, count: number, add: number): void;
  /** out (columns) = sums of x (rows, columns) over the rows, or added to what is there. */
  columnSums(out: number, x: number, rows: number, columns: number, add: number): void;

  /** out (rows, width) = rows of `table` by `ids` (rows), whole numbers. */
  embedding(out: number, table: number, ids: number, rows: number, width: number): void;
  /** Adds every row of `grad` to the row of `tableGrad` that it came from, in the order of rows. */
  embeddingGradient(tableGrad: number, grad: number, ids: number, rows: number, width: number): void;

  /**
   * out (rows, columns) = x (rows, inner) · w, + bias (columns) or 0, + residual (rows, columns) or 0. `w` is
   * (inner, columns), or (columns, inner) when `isTransposed`.
   */
  matmul(
    out: number,
    x: number,
    w: number,
    rows: number,
    inner: number,
    columns: number,
    isTransposed: number,
    bias: number,
    residual: number,
  ): void;
  /** xGrad (rows, inner) = grad (rows, columns) · wᵀ. */
  matmulInputGradient(
    xGrad: number,
    grad: number,
    w: number,
    rows: number,
    inner: number,
    columns: number,
    isTransposed: number,
    add: number,
  ): void;
  /** wGrad, in the layout of w, = xᵀ · grad. */
  matmulWeightGradient(
    wGrad: number,
    x: number,
    grad: number,
    rows: number,
    inner: number,
    columns: number,
    isTransposed: number,
    add: number,
  ): void;

  /** Each row shifted to mean 0 and scaled to variance 1 (biased), times `gain` or 0, plus `bias` or 0; `stats` (rows, 2) gets mean and 1/deviation. */
  layerNorm(
    out: number,
    x: number,
    gain: number,
    bias: number,
    stats: number,
    rows: number,
    width: number,
    eps: number,
  ): void;
  /** Any of the three outputs may be 0. */
  layerNormGradient(
    xGrad: number,
    gainGrad: number,
    biasGrad: number,
    grad: number,
    x: number,
    gain: number,
    stats: number,
    rows: number,
    width: number,
    addX: number,
    addGain: number,
    addBias: number,
  ): void;
  /** Each row divided by its root mean square, times `gain` or 0; `stats` (rows) gets 1/root. */
  rmsNorm(out: number, x: number, gain: number, stats: number, rows: number, width: number, eps: number): void;
  /** Either output may be 0. */
  rmsNormGradient(
    xGrad: number,
    gainGrad: number,
    grad: number,
    x: number,
    gain: number,
    stats: number,
    rows: number,
    width: number,
    addX: number,
    addGain: number,
  ): void;

  /**
   * out = m · x, + residual or 0, or out += m · x, where m is 0 for a share `rate` of the numbers and 1 / (1 - rate), in
   * 32 bits, for the others. `draw` (3), whole numbers: a key, the number of the first place, and whether anything is left
   * out. Place i is left out where mixWords(key, first + i), in 32 bits, is below the whole part of rate · 2^32.
   */
  dropout(out: number, x: number, residual: number, draw: number, count: number, rate: number, add: number): void;

  /** x · Φ(x), by the error function; `slope` gets the derivative, which costs little beside it. */
  gelu(out: number, slope: number, x: number, count: number): void;
  /** The approximation of GELU by tanh that GPT-2 was trained with, likewise. */
  geluTanh(out: number, slope: number, x: number, count: number): void;
  /** max(x, 0)². */
  relu2(out: number, x: number, count: number): void;
  relu2Gradient(xGrad: number, grad: number, x: number, count: number, add: number): void;
  /** cap · tanh(x / cap). */
  softcap(out: number, x: number, count: number, cap: number): void;
  /** From what softcap gave, `out`. */
  softcapGradient(xGrad: number, grad: number, out: number, count: number, cap: number, add: number): void;
  /** gate · σ(gate) · up. */
  swiglu(out: number, gate: number, up: number, count: number): void;
  /** Either output may be 0. */
  swigluGradient(
    gateGrad: number,
    upGrad: number,
    grad: number,
    gate: number,
    up: number,
    count: number,
    addGate: number,
    addUp: number,
  ): void;

  /**
   * Rotates the pairs (i, i + headDim/2) of every head by the angles of its row's position. `table` (positions,
   * 2, headDim/2) holds cosines and sines; the position of a row is `positions` (rows), or its number mod T where that
   * is 0; `sign` -1 turns back.
   */
  rope(
    out: number,
    x: number,
    table: number,
    positions: number,
    rows: number,
    T: number,
    heads: number,
    headDim: number,
    outStride: number,
    xStride: number,
    sign: number,
    add: number,
  ): void;
  /**
   * Causal softmax attention, sequence by sequence and head by head. q and out (batch · T, heads · headDim), k and v
   * (batch · T, kvHeads · headDim), each with its stride; `logSums` (batch · heads · T) gets the logarithm of every
   * row's sum of exponentials; `scratch` as `attentionScratch` says. Weights are left out as `dropout` does it, those of a
   * head as (T, T), or none where `draw` is 0.
   */
  attention(
    out: number,
    q: number,
    k: number,
    v: number,
    logSums: number,
    scratch: number,
    batch: number,
    T: number,
    heads: number,
    kvHeads: number,
    headDim: number,
    qStride: number,
    kStride: number,
    vStride: number,
    scale: number,
    draw: number,
    rate: number,
  ): void;
  /** Gradients in the strides of what they belong to. */
  attentionGradient(
    qGrad: number,
    kGrad: number,
    vGrad: number,
    grad: number,
    out: number,
    q: number,
    k: number,
    v: number,
    logSums: number,
    scratch: number,
    batch: number,
    T: number,
    heads: number,
    kvHeads: number,
    headDim: number,
    qStride: number,
    kStride: number,
    vStride: number,
    scale: number,
    draw: number,
    rate: number,
    addQ: number,
    addK: number,
    addV: number,
  ): void;
  /**
   * Attention of one new row in each of `batch` sequences over what came before it: k and v (batch, kvHeads · headDim)
   * are stored as row `position` (one whole number) of `keys` and `values` (batch, capacity, kvHeads · headDim).
   * `scratch` holds `capacity` numbers.
   */
  cachedAttention(
    out: number,
    q: number,
    k: number,
    v: number,
    keys: number,
    values: number,
    position: number,
    scratch: number,
    batch: number,
    capacity: number,
    heads: number,
    kvHeads: number,
    headDim: number,
    scale: number,
  ): void;

  /**
   * loss (1) = sum of −log softmax(logits)[target] over the rows whose target is not negative, divided by
   * `denominator` (1); `logSums` (rows) gets the logarithms of the rows' sums of exponentials.
   */
  crossEntropy(
    loss: number,
    logits: number,
    targets: number,
    logSums: number,
    denominator: number,
    rows: number,
    columns: number,
  ): void;
  crossEntropyGradient(
    logitsGrad: number,
    lossGrad: number,
    logits: number,
    targets: number,
    logSums: number,
    denominator: number,
    rows: number,
    columns: number,
    add: number,
  ): void;
}

/** A kernel that a program may call. */
export type KernelName = keyof Kernels;

/** Query rows that attention works on at a time. */
export const ATTENTION_BLOCK = 64;

/** Numbers of scratch for `attention` and its gradient: panels of keys, values, queries; weights by key, and a little. */
export function attentionScratch(T: number, headDim: number): number {
  const keys = Math.floor((T + 15) / 8) * 8;
  return 2 * headDim * (keys + ATTENTION_BLOCK) + ATTENTION_BLOCK * (2 * keys + 9);
}

/** What an update of the parameters is made of, beside the kernels of programs. */
export interface UpdateKernels {
  /** Sum of x², in double precision. */
  sumOfSquares(x: number, count: number): number;
  /**
   * One AdamW update, with g = gradScale · grad: average and squareAverage move to g and g² by 1 - beta; value loses
   * decay · value and rate · average / (√(squareAverage · squareFactor) + eps). The bias corrections are in `rate` and
   * `squareFactor`.
   */
  adamw(
    value: number,
    grad: number,
    average: number,
    squareAverage: number,
    count: number,
    gradScale: number,
    beta1: number,
    beta2: number,
    rate: number,
    squareFactor: number,
    eps: number,
    decay: number,
  ): void;
  /** With g = gradScale · grad: average moves to g by 1 - momentum, out = g + momentum · (average - g). */
  nesterov(out: number, grad: number, average: number, count: number, gradScale: number, momentum: number): void;
}
