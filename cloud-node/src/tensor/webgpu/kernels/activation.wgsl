// Activations and their derivatives. Twin: js/activation-kernels.ts.

struct Call {
  out: u32,
  slope: u32,
  x: u32,
  up: u32,
  grad: u32,
  count: u32,
  cap: f32,
  add: u32,
}

@group(1) @binding(0) var<uniform> call: Call;

const TANH_SCALE = 0.7978845608028654; // √(2/π)
const TANH_CUBE = 0.044715;
const PER_ROOT_2PI = 0.3989422804014327;
const PER_ROOT_2 = 0.7071067811865476;
// From here on tanh is 1 to the last bit of a float, and its exponential still one.
const TANH_END = 10.0;

// Devices may round their own tanh to 1e-5. Near 0, where a difference from 1 would lose digits, Lambert's continued
// fraction, which is exact to 1e-9 below 0.7.
fn tangent(x: f32) -> f32 {
  // Comparisons with what is no number are anything.
  if (!isNumber(x)) {
    return x;
  }
  let size = min(abs(x), TANH_END);
  if (size < 0.7) {
    let z = x * x;
    return x / (1.0 + z / (3.0 + z / (5.0 + z / (7.0 + z / 9.0))));
  }
  let far = 1.0 - 2.0 / (exponential(2.0 * size) + 1.0);
  return select(far, -far, x < 0.0);
}

// Share of the normal distribution below x, to 1e-7. @see Abramowitz and Stegun 7.1.26
fn normalShare(x: f32) -> f32 {
  let z = abs(x) * PER_ROOT_2;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let tail = 0.5 * series * exponential(-z * z);
  return select(tail, 1.0 - tail, x > 0.0);
}

// What is no number may compare as anything, and has to stay what it is.
fn isNegative(x: f32) -> bool {
  return isNumber(x) && x < 0.0;
}

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exponential(-x));
}

@compute @workgroup_size(THREADS)
fn gelu(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let x = loadX(call.x + i);
    let share = normalShare(x);
    storeOut(call.out + i, x * share);
    storeSlope(call.slope + i, share + x * exponential(-0.5 * x * x) * PER_ROOT_2PI);
  }
}

@compute @workgroup_size(THREADS)
fn geluTanh(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let x = loadX(call.x + i);
    let t = tangent(TANH_SCALE * (x + TANH_CUBE * x * x * x));
    let rise = TANH_SCALE * (1.0 + 3.0 * TANH_CUBE * x * x);
    storeOut(call.out + i, 0.5 * x * (1.0 + t));
    storeSlope(call.slope + i, 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * rise);
  }
}

@compute @workgroup_size(THREADS)
fn relu2(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let x = loadX(call.x + i);
    storeOut(call.out + i, select(x * x, 0.0, isNegative(x)));
  }
}

@compute @workgroup_size(THREADS)
fn relu2Gradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let x = loadX(call.x + i);
    let slope = select(2.0 * x, 0.0, isNegative(x));
    contributeOut(call.out + i, loadGrad(call.grad + i) * slope, call.add);
  }
}

@compute @workgroup_size(THREADS)
fn softcap(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    storeOut(call.out + i, call.cap * tangent(loadX(call.x + i) / call.cap));
  }
}

// `x` is what softcap gave.
@compute @workgroup_size(THREADS)
fn softcapGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let share = loadX(call.x + i) / call.cap;
    contributeOut(call.out + i, loadGrad(call.grad + i) * (1.0 - share * share), call.add);
  }
}

// `x` is the gate.
@compute @workgroup_size(THREADS)
fn swiglu(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let gate = loadX(call.x + i);
    storeOut(call.out + i, gate * sigmoid(gate) * loadUp(call.up + i));
  }
}

@compute @workgroup_size(THREADS)
fn swigluGateGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let gate = loadX(call.x + i);
    let share = sigmoid(gate);
    let slope = share * (1.0 + gate * (1.0 - share));
    let own = loadGrad(call.grad + i) * loadUp(call.up + i) * slope;
    contributeOut(call.out + i, own, call.add);
  }
}

@compute @workgroup_size(THREADS)
fn swigluUpGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    let gate = loadX(call.x + i);
    contributeOut(call.out + i, loadGrad(call.grad + i) * gate * sigmoid(gate), call.add);
  }
}
