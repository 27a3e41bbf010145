// Norms of rows, a workgroup for each. Twin: js/norm-kernels.ts; the gradients of gain and bias are in columns.wgsl.

struct Call {
  out: u32,
  x: u32,
  gain: u32,
  bias: u32,
  stats: u32,
  grad: u32,
  rows: u32,
  width: u32,
  eps: f32,
  add: u32,
}

@group(1) @binding(0) var<uniform> call: Call;

fn gainOf(i: u32) -> f32 {
  if (!hasGain) {
    return 1.0;
  }
  return loadGain(call.gain + i);
}

fn biasOf(i: u32) -> f32 {
  if (!hasBias) {
    return 0.0;
  }
  return loadBias(call.bias + i);
}

@compute @workgroup_size(ROW_THREADS)
fn layerNorm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let width = f32(call.width);
  for (var row = group.x; row < call.rows; row += groups.x) {
    let x = call.x + row * call.width;
    var sum = 0.0;
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      sum += loadX(x + i);
    }
    let mean = sumOfRow(thread, sum) / width;
    var squares = 0.0;
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      let apart = loadX(x + i) - mean;
      squares += apart * apart;
    }
    let perDeviation = 1.0 / sqrt(sumOfRow(thread, squares) / width + call.eps);
    if (thread == 0u) {
      storeStats(call.stats + 2u * row, mean);
      storeStats(call.stats + 2u * row + 1u, perDeviation);
    }
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      let normal = (loadX(x + i) - mean) * perDeviation;
      storeOut(call.out + row * call.width + i, normal * gainOf(i) + biasOf(i));
    }
  }
}

@compute @workgroup_size(ROW_THREADS)
fn layerNormGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let width = f32(call.width);
  for (var row = group.x; row < call.rows; row += groups.x) {
    let at = row * call.width;
    let mean = loadStats(call.stats + 2u * row);
    let perDeviation = loadStats(call.stats + 2u * row + 1u);
    var inners = 0.0;
    var products = 0.0;
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      let inner = loadGrad(call.grad + at + i) * gainOf(i);
      inners += inner;
      products += inner * (loadX(call.x + at + i) - mean) * perDeviation;
    }
    let meanInner = sumOfRow(thread, inners) / width;
    let meanProduct = sumOfRow(thread, products) / width;
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      let inner = loadGrad(call.grad + at + i) * gainOf(i);
      let normal = (loadX(call.x + at + i) - mean) * perDeviation;
      contributeOut(call.out + at + i, perDeviation * (inner - meanInner - normal * meanProduct), call.add);
    }
  }
}

@compute @workgroup_size(ROW_THREADS)
fn rmsNorm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  for (var row = group.x; row < call.rows; row += groups.x) {
    let x = call.x + row * call.width;
    var squares = 0.0;
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      let number = loadX(x + i);
      squares += number * number;
    }
    let perRoot = 1.0 / sqrt(sumOfRow(thread, squares) / f32(call.width) + call.eps);
    if (thread == 0u) {
      storeStats(call.stats + row, perRoot);
    }
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      storeOut(call.out + row * call.width + i, loadX(x + i) * perRoot * gainOf(i));
    }
  }
}

@compute @workgroup_size(ROW_THREADS)
fn rmsNormGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  for (var row = group.x; row < call.rows; row += groups.x) {
    let at = row * call.width;
    let perRoot = loadStats(call.stats + row);
    var products = 0.0;
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      products += loadGrad(call.grad + at + i) * gainOf(i) * loadX(call.x + at + i) * perRoot;
    }
    let meanProduct = sumOfRow(thread, products) / f32(call.width);
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      let inner = loadGrad(call.grad + at + i) * gainOf(i);
      let normal = loadX(call.x + at + i) * perRoot;
      contributeOut(call.out + at + i, perRoot * (inner - normal * meanProduct), call.add);
    }
  }
}
