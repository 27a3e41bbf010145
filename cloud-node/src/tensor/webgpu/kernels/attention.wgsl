// What attention is beside products of matrices: rotary positions, and rows of weights. Twin: js/attention-kernels.ts.
//
// Weights are kept as (sequences · heads, T, T) in scratch; a row has those of one query, and is zero behind it.

struct Call {
  out: u32,
  x: u32,
  weights: u32,
  logSums: u32,
  grad: u32,
  table: u32,
  positions: u32,
  draw: u32,
  rows: u32,
  T: u32,
  heads: u32,
  headDim: u32,
  outStride: u32,
  xStride: u32,
  scale: f32,
  sign: f32,
  add: u32,
  // Of dropout: the place of the first weight, words that are left out, and how much what stays grows.
  first: u32,
  threshold: u32,
  grown: f32,
}

@group(1) @binding(0) var<uniform> call: Call;

@compute @workgroup_size(THREADS)
fn rope(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let half = call.headDim / 2u;
  let pairs = call.heads * half;
  for (var i = id.x; i < call.rows * pairs; i += groups.x * THREADS) {
    let row = i / pairs;
    let pair = i % pairs;
    var position = row % call.T;
    if (hasPositions) {
      position = bitsPositions(call.positions + row);
    }
    let angle = call.table + 2u * position * half + pair % half;
    let cosine = loadTable(angle);
    let sine = call.sign * loadTable(angle + half);
    let column = pair / half * call.headDim + pair % half;
    let origin = call.x + row * call.xStride + column;
    let to = call.out + row * call.outStride + column;
    let first = loadX(origin);
    let second = loadX(origin + half);
    contributeOut(to, first * cosine - second * sine, call.add);
    contributeOut(to + half, first * sine + second * cosine, call.add);
  }
}

// What a weight is multiplied by, by its place.
fn dropoutFactor(place: u32) -> f32 {
  if (!hasDraw || bitsDraw(call.draw + 2u) == 0u) {
    return 1.0;
  }
  let word = mixWords(bitsDraw(call.draw), bitsDraw(call.draw + 1u) + call.first + place);
  return select(call.grown, 0.0, word < call.threshold);
}

// Products of queries and keys to weights, in place, some of them left out, and the logarithm of each row's sum of exponentials.
@compute @workgroup_size(ROW_THREADS)
fn softmaxRows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  for (var row = group.x; row < call.rows; row += groups.x) {
    let at = call.weights + row * call.T;
    let seen = row % call.T + 1u;
    var most = LOWEST;
    for (var i = thread; i < seen; i += ROW_THREADS) {
      most = max(most, call.scale * loadWeights(at + i));
    }
    let largest = largestOfRow(thread, most);
    var sum = 0.0;
    for (var i = thread; i < seen; i += ROW_THREADS) {
      sum += exponential(call.scale * loadWeights(at + i) - largest);
    }
    let logSum = largest + logarithm(sumOfRow(thread, sum));
    if (thread == 0u) {
      storeLogSums(call.logSums + row, logSum);
    }
    for (var i = thread; i < call.T; i += ROW_THREADS) {
      var weight = 0.0;
      if (i < seen) {
        weight = exponential(call.scale * loadWeights(at + i) - logSum) * dropoutFactor(row * call.T + i);
      }
      storeWeights(at + i, weight);
    }
  }
}

// The same weights again, from the sums that are known, and none left out.
@compute @workgroup_size(THREADS)
fn weightRows(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.rows * call.T; i += groups.x * THREADS) {
    let row = i / call.T;
    var weight = 0.0;
    if (i % call.T <= row % call.T) {
      weight = exponential(call.scale * loadWeights(call.weights + i) - loadLogSums(call.logSums + row));
    }
    storeWeights(call.weights + i, weight);
  }
}

// `out` (rows, T) holds the gradients of the weights, and gets those of the products of queries and keys; `weights` are
// left out as before. What the softmax takes off, the mean of a row's gradients by its weights, is the product of `grad` and `x`, the gradient and
// the result of attention, both (sequences · T, heads · headDim).
@compute @workgroup_size(ROW_THREADS)
fn scoreGradientRows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  for (var row = group.x; row < call.rows; row += groups.x) {
    let query = row % call.T;
    let head = row / call.T % call.heads;
    let sequence = row / call.T / call.heads;
    let own = (sequence * call.T + query) * call.heads * call.headDim + head * call.headDim;
    var product = 0.0;
    for (var i = thread; i < call.headDim; i += ROW_THREADS) {
      product += loadGrad(call.grad + own + i) * loadX(call.x + own + i);
    }
    let mean = sumOfRow(thread, product);
    for (var i = thread; i < call.T; i += ROW_THREADS) {
      let at = row * call.T + i;
      var own = 0.0;
      if (i <= query) {
        let weight = loadWeights(call.weights + at);
        let factor = dropoutFactor(at);
        own = call.scale * weight * (factor * loadOut(call.out + at) - mean);
        storeWeights(call.weights + at, factor * weight);
      }
      storeOut(call.out + at, own);
    }
  }
}
