// Cross-entropy. Twin: js/loss-kernels.ts.

struct Call {
  out: u32,
  logits: u32,
  targets: u32,
  logSums: u32,
  denominator: u32,
  lossGrad: u32,
  rows: u32,
  columns: u32,
  add: u32,
}

@group(1) @binding(0) var<uniform> call: Call;

fn targetOf(row: u32) -> i32 {
  return bitcast<i32>(bitsTargets(call.targets + row));
}

// The logarithm of each row's sum of exponentials.
@compute @workgroup_size(ROW_THREADS)
fn logSums(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  for (var row = group.x; row < call.rows; row += groups.x) {
    let at = call.logits + row * call.columns;
    var most = LOWEST;
    for (var i = thread; i < call.columns; i += ROW_THREADS) {
      most = max(most, loadLogits(at + i));
    }
    let largest = largestOfRow(thread, most);
    var sum = 0.0;
    for (var i = thread; i < call.columns; i += ROW_THREADS) {
      sum += exponential(loadLogits(at + i) - largest);
    }
    let total = sumOfRow(thread, sum);
    if (thread == 0u) {
      storeLogSums(call.logSums + row, largest + logarithm(total));
    }
  }
}

// One workgroup: the mean over the rows whose target counts.
@compute @workgroup_size(ROW_THREADS)
fn meanLoss(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var row = thread; row < call.rows; row += ROW_THREADS) {
    let goal = targetOf(row);
    if (goal >= 0) {
      let logit = loadLogits(call.logits + row * call.columns + u32(goal));
      sum += loadLogSums(call.logSums + row) - logit;
    }
  }
  let total = sumOfRow(thread, sum);
  if (thread == 0u) {
    storeOut(call.out, total / loadDenominator(call.denominator));
  }
}

@compute @workgroup_size(THREADS)
fn crossEntropyGradient(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let factor = loadLossGrad(call.lossGrad) / loadDenominator(call.denominator);
  for (var i = id.x; i < call.rows * call.columns; i += groups.x * THREADS) {
    let row = i / call.columns;
    let goal = targetOf(row);
    var own = 0.0;
    if (goal >= 0) {
      let share = exponential(loadLogits(call.logits + i) - loadLogSums(call.logSums + row));
      own = factor * (share - select(0.0, 1.0, i % call.columns == u32(goal)));
    }
    contributeOut(call.out + i, own, call.add);
  }
}
