// Rows of a table by whole numbers. Twin: `embedding` of js/matmul-kernels.ts.

struct Call {
  out: u32,
  x: u32,
  ids: u32,
  rows: u32,
  width: u32,
}

@group(1) @binding(0) var<uniform> call: Call;

@compute @workgroup_size(THREADS)
fn embedding(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < call.rows * call.width; i += groups.x * THREADS) {
    let origin = bitsIds(call.ids + i / call.width) * call.width + i % call.width;
    storeOut(call.out + i, loadX(call.x + origin));
  }
}

// Adds every row of `x` to the row of `out` that it came from. The first row of an id takes those of all the same ids,
// in their order; so none is written by two, and sums are always the same.
@compute @workgroup_size(ROW_THREADS)
fn embeddingGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  for (var row = group.x; row < call.rows; row += groups.x) {
    let id = bitsIds(call.ids + row);
    var isFirst = true;
    for (var other = 0u; other < row; other++) {
      if (bitsIds(call.ids + other) == id) {
        isFirst = false;
        break;
      }
    }
    if (!isFirst) {
      continue;
    }
    for (var i = thread; i < call.width; i += ROW_THREADS) {
      let at = call.out + id * call.width + i;
      var sum = loadOut(at);
      for (var other = row; other < call.rows; other++) {
        if (bitsIds(call.ids + other) == id) {
          sum += loadX(call.x + other * call.width + i);
        }
      }
      storeOut(at, sum);
    }
  }
}
