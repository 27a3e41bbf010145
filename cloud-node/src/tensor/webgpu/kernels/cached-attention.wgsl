// Attention of one new row in each sequence over those before it. Twin: `cachedAttention` of js/attention-kernels.ts.

struct Call {
  out: u32,
  q: u32,
  k: u32,
  v: u32,
  keys: u32,
  values: u32,
  position: u32,
  scores: u32,
  batch: u32,
  capacity: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  scale: f32,
}

@group(1) @binding(0) var<uniform> call: Call;

// Keys and values of the new row, to where they are kept.
@compute @workgroup_size(THREADS)
fn remember(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = call.kvHeads * call.headDim;
  let newest = bitsPosition(call.position);
  for (var i = id.x; i < call.batch * width; i += groups.x * THREADS) {
    let at = (i / width * call.capacity + newest) * width + i % width;
    storeKeys(call.keys + at, loadK(call.k + i));
    storeValues(call.values + at, loadV(call.v + i));
  }
}

// A workgroup for each head of each sequence; `scores` (batch · heads, capacity) is its own.
@compute @workgroup_size(ROW_THREADS)
fn cachedAttention(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let width = call.kvHeads * call.headDim;
  let seen = bitsPosition(call.position) + 1u;
  let sequence = group.x / call.heads;
  let head = group.x % call.heads;
  let start = sequence * call.capacity * width + head * call.kvHeads / call.heads * call.headDim;
  let query = call.q + group.x * call.headDim;
  let scores = call.scores + group.x * call.capacity;
  var most = LOWEST;
  for (var row = thread; row < seen; row += ROW_THREADS) {
    var product = 0.0;
    for (var i = 0u; i < call.headDim; i++) {
      product += loadQ(query + i) * loadKeys(call.keys + start + row * width + i);
    }
    storeScores(scores + row, call.scale * product);
    most = max(most, call.scale * product);
  }
  let largest = largestOfRow(thread, most);
  var sum = 0.0;
  for (var row = thread; row < seen; row += ROW_THREADS) {
    let share = exponential(loadScores(scores + row) - largest);
    storeScores(scores + row, share);
    sum += share;
  }
  let total = sumOfRow(thread, sum);
  storageBarrier();
  for (var i = thread; i < call.headDim; i += ROW_THREADS) {
    var mean = 0.0;
    for (var row = 0u; row < seen; row++) {
      mean += loadScores(scores + row) * loadValues(call.values + start + row * width + i);
    }
    storeOut(call.out + group.x * call.headDim + i, mean / total);
  }
}
