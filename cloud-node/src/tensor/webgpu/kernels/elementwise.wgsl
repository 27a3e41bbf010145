// Arithmetic number by number. Twin: js/elementwise-kernels.ts.

struct Call {
  out: u32,
  x: u32,
  y: u32,
  draw: u32,
  count: u32,
  width: u32,
  stride: u32,
  period: u32,
  factor: f32,
  add: u32,
  // Of dropout: words below it are left out, and what stays grows.
  threshold: u32,
}

@group(1) @binding(0) var<uniform> call: Call;

@compute @workgroup_size(THREADS)
fn fill(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    storeOut(call.out + i / call.width * call.stride + i % call.width, call.factor);
  }
}

@compute @workgroup_size(THREADS)
fn scale(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    contributeOut(call.out + i, call.factor * loadX(call.x + i), call.add);
  }
}

@compute @workgroup_size(THREADS)
fn add(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    storeOut(call.out + i, loadX(call.x + i) + loadY(call.y + i % call.period));
  }
}

@compute @workgroup_size(THREADS)
fn multiply(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    contributeOut(call.out + i, loadX(call.x + i) * loadY(call.y + i), call.add);
  }
}

// `y` is a residual, or none; what stays is times `factor`.
@compute @workgroup_size(THREADS)
fn dropout(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let key = bitsDraw(call.draw);
  let first = bitsDraw(call.draw + 1u);
  let isOn = bitsDraw(call.draw + 2u) != 0u;
  for (var i = id.x; i < call.count; i += groups.x * THREADS) {
    var number = loadX(call.x + i);
    if (isOn) {
      number = select(call.factor * number, 0.0, mixWords(key, first + i) < call.threshold);
    }
    if (hasY) {
      number += loadY(call.y + i);
    }
    contributeOut(call.out + i, number, call.add);
  }
}
