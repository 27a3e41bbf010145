// Sums over the rows of a matrix, for biases and gains: a workgroup has some columns, and each of its lanes every
// LANES-th row of them. Twins: `columnSums` of js/elementwise-kernels.ts and the gains of js/norm-kernels.ts.

const COLUMNS = 16u;
const LANES = 8u;

struct Call {
  out: u32,
  x: u32,
  grad: u32,
  stats: u32,
  rows: u32,
  columns: u32,
  add: u32,
}

@group(1) @binding(0) var<uniform> call: Call;
// Numbers that a row's statistics have: mean and 1/deviation, or 1/root alone.
override statsWidth: u32 = 1u;

var<workgroup> sums: array<f32, 128>;

// The lanes' sums, added in their order by the first.
fn keepColumn(local: vec3u, column: u32, sum: f32) {
  sums[local.y * COLUMNS + local.x] = sum;
  workgroupBarrier();
  if (local.y == 0u && column < call.columns) {
    var total = sum;
    for (var lane = 1u; lane < LANES; lane++) {
      total += sums[lane * COLUMNS + local.x];
    }
    contributeOut(call.out + column, total, call.add);
  }
}

@compute @workgroup_size(COLUMNS, LANES)
fn columnSums(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = group.x * COLUMNS + local.x;
  var sum = 0.0;
  if (column < call.columns) {
    for (var row = local.y; row < call.rows; row += LANES) {
      sum += loadGrad(call.grad + row * call.columns + column);
    }
  }
  keepColumn(local, column, sum);
}

// Sums of grad · normalized x.
@compute @workgroup_size(COLUMNS, LANES)
fn gainGradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = group.x * COLUMNS + local.x;
  var sum = 0.0;
  if (column < call.columns) {
    for (var row = local.y; row < call.rows; row += LANES) {
      let at = row * call.columns + column;
      let stats = call.stats + row * statsWidth;
      var normal = loadX(call.x + at);
      if (statsWidth == 2u) {
        normal -= loadStats(stats);
      }
      normal *= loadStats(stats + statsWidth - 1u);
      sum += loadGrad(call.grad + at) * normal;
    }
  }
  keepColumn(local, column, sum);
}
