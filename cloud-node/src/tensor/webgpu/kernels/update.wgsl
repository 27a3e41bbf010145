// Updates of parameters. Twin: js/update-kernels.ts.
//
// What an update needs to know of the whole gradient never leaves the device: `verdict` holds the norm, the factor that
// clips it, and whether loss and norm are finite, in place of which nothing is changed.

struct Call {
  out: u32,
  grad: u32,
  mean: u32,
  square: u32,
  loss: u32,
  sums: u32,
  verdict: u32,
  count: u32,
  most: f32,
  // 1 − beta, exactly as the host has it: a float of 0.999 has few digits of what it lacks to 1.
  meanShare: f32,
  squareShare: f32,
  rate: f32,
  squareFactor: f32,
  eps: f32,
  keep: f32,
  add: u32,
}

@group(1) @binding(0) var<uniform> call: Call;

// As PyTorch's clip_grad_norm_ adds to the norm.
const CLIP_EPS = 1e-6;

// Devices may take it that no number is infinite, so bits are looked at.
fn isFinite(number: f32) -> bool {
  return (bitcast<u32>(number) & 0x7f800000u) != 0x7f800000u;
}

fn gradScale() -> f32 {
  return loadVerdict(call.verdict + 1u);
}

fn isRefused() -> bool {
  return loadVerdict(call.verdict + 2u) == 0.0;
}

// Sums of squares, as many as there are workgroups.
@compute @workgroup_size(ROW_THREADS)
fn squares(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  var sum = 0.0;
  for (var i = group.x * ROW_THREADS + thread; i < call.count; i += groups.x * ROW_THREADS) {
    let number = loadGrad(call.grad + i);
    sum += number * number;
  }
  let total = sumOfRow(thread, sum);
  if (thread == 0u) {
    storeSums(call.sums + group.x, total);
  }
}

fn norm(thread: u32) -> f32 {
  var sum = 0.0;
  for (var i = thread; i < call.count; i += ROW_THREADS) {
    sum += loadSums(call.sums + i);
  }
  return sqrt(sumOfRow(thread, sum));
}

// One workgroup, from `count` sums of squares. `most` is the norm that gradients are clipped to, negative for none.
@compute @workgroup_size(ROW_THREADS)
fn judge(@builtin(local_invocation_index) thread: u32) {
  let length = norm(thread);
  if (thread != 0u) {
    return;
  }
  var factor = 1.0;
  if (call.most >= 0.0) {
    factor = min(1.0, call.most / (length + CLIP_EPS));
  }
  let isGood = isFinite(length) && isFinite(loadLoss(call.loss));
  storeVerdict(call.verdict, length);
  storeVerdict(call.verdict + 1u, factor);
  storeVerdict(call.verdict + 2u, select(0.0, 1.0, isGood));
}

// One workgroup, from `count` sums of squares: the factor that makes a length 1.
@compute @workgroup_size(ROW_THREADS)
fn perNorm(@builtin(local_invocation_index) thread: u32) {
  let length = norm(thread);
  if (thread == 0u) {
    storeOut(call.out, 1.0 / (length + call.eps));
  }
}

// out by the factor of perNorm.
@compute @workgroup_size(THREADS)
fn normalize(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let factor = loadMean(call.mean);
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    storeOut(call.out + i, factor * loadOut(call.out + i));
  }
}

@compute @workgroup_size(THREADS)
fn adamw(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (isRefused()) {
    return;
  }
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let g = gradScale() * loadGrad(call.grad + i);
    let mean = mix(loadMean(call.mean + i), g, call.meanShare);
    let square = mix(loadSquare(call.square + i), g * g, call.squareShare);
    storeMean(call.mean + i, mean);
    storeSquare(call.square + i, square);
    let step = call.rate * mean / (sqrt(square * call.squareFactor) + call.eps);
    storeOut(call.out + i, loadOut(call.out + i) * call.keep - step);
  }
}

// The average moves to the gradient by its share, and out is the gradient moved on by it.
@compute @workgroup_size(THREADS)
fn nesterov(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let g = gradScale() * loadGrad(call.grad + i);
    let mean = mix(loadMean(call.mean + i), g, call.meanShare);
    if (!isRefused()) {
      storeMean(call.mean + i, mean);
    }
    storeOut(call.out + i, mix(mean, g, call.meanShare));
  }
}

// out = factor · grad, or out += factor · grad, where grad is any tensor.
@compute @workgroup_size(THREADS)
fn scale(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (isRefused()) {
    return;
  }
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    contributeOut(call.out + i, call.rate * loadGrad(call.grad + i), call.add);
  }
}
