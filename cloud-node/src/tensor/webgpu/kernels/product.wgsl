// Products of matrices, out (rows, columns) = a · b, one for each z of the dispatch. Twin: js/matmul-kernels.ts.
//
// A workgroup computes a tile of 8 · rowThreads rows and 64 columns. Steps of DEPTH along the inner axis go through
// workgroup memory, a thread's 8 x 8 numbers stay in registers: rows 4r … 4r+3 of both halves of the tile, columns
// 4c … 4c+3 of both halves, so that threads beside each other read vectors that lie beside each other.
//
//            4c   32+4c
//          ┌────┬────┐
//   4r     │ s0 │ s1 │   s0 … s3: four vectors each, a row in a vector
//          ├────┼────┤
//   half+4r│ s2 │ s3 │
//          └────┴────┘
//
// Every sum is taken along the inner axis in its order, by one thread.

const DEPTH = 16u;
const COLUMN_THREADS = 8u;
const TILE_COLUMNS = 64u;
// Vectors from one step's columns to the next: one more than there are, for the banks of the memory.
const B_PITCH = 17u;

struct Call {
  out: u32,
  a: u32,
  b: u32,
  bias: u32,
  residual: u32,
  rows: u32,
  inner: u32,
  columns: u32,
  outStride: u32,
  aStride: u32,
  bStride: u32,
  // Products of a batch: z counts heads of sequences; every `share` of them have one b.
  heads: u32,
  share: u32,
  outSequence: u32,
  outHead: u32,
  aSequence: u32,
  aHead: u32,
  bSequence: u32,
  bHead: u32,
  add: u32,
}

@group(1) @binding(0) var<uniform> call: Call;
// a is kept as (inner, rows), b as (columns, inner).
override aTransposed: bool = false;
override bTransposed: bool = false;
// What is known to be zero: 1, out above its diagonal, which nobody reads; 2, a above its diagonal; 3, a below it.
override triangle: u32 = 0u;
override rowThreads: u32 = 8u;

var<workgroup> aTile: array<vec4f, DEPTH * (2u * rowThreads + 1u)>;
var<workgroup> bTile: array<vec4f, DEPTH * B_PITCH>;

fn aNumber(start: u32, row: u32, k: u32, end: u32) -> f32 {
  if (row >= call.rows || k >= end) {
    return 0.0;
  }
  return loadA(start + select(row * call.aStride + k, k * call.aStride + row, aTransposed));
}

fn bNumber(start: u32, k: u32, column: u32, end: u32) -> f32 {
  if (column >= call.columns || k >= end) {
    return 0.0;
  }
  return loadB(start + select(k * call.bStride + column, column * call.bStride + k, bTransposed));
}

// A quarter of the tile: four numbers in a row of every thread, through workgroup memory, so that neighbours write
// beside each other. `row` and `column` are those of its first number.
fn keepQuarter(thread: u32, numbers: mat4x4f, start: u32, row: u32, column: u32) {
  let threads = COLUMN_THREADS * rowThreads;
  workgroupBarrier();
  for (var i = 0u; i < 4u; i++) {
    aTile[(thread / COLUMN_THREADS * 4u + i) * COLUMN_THREADS + thread % COLUMN_THREADS] = numbers[i];
  }
  workgroupBarrier();
  let width = 4u * COLUMN_THREADS;
  for (var at = thread; at < 16u * threads; at += threads) {
    let y = row + at / width;
    let x = column + at % width;
    if (y < call.rows && x < call.columns) {
      let place = y * call.outStride + x;
      var number = aTile[at / 4u][at % 4u];
      if (hasBias) {
        number += loadBias(call.bias + x);
      }
      if (hasResidual) {
        number += loadResidual(call.residual + place);
      }
      contributeOut(start + place, number, call.add);
    }
  }
}

@compute @workgroup_size(COLUMN_THREADS, rowThreads)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tileRows = 8u * rowThreads;
  let row = group.y * tileRows;
  let column = group.x * TILE_COLUMNS;
  if (triangle == 1u && column >= row + tileRows) {
    return;
  }
  let sequence = group.z / call.heads;
  let head = group.z % call.heads;
  let aStart = call.a + sequence * call.aSequence + head * call.aHead;
  let bStart = call.b + sequence * call.bSequence + head / call.share * call.bHead;
  let outStart = call.out + sequence * call.outSequence + head * call.outHead;
  var first = 0u;
  var end = call.inner;
  if (triangle == 2u) {
    end = min(end, row + tileRows);
  }
  if (triangle == 3u) {
    first = row / DEPTH * DEPTH;
  }
  let threads = COLUMN_THREADS * rowThreads;
  let aVectors = 2u * rowThreads;
  let aPitch = aVectors + 1u;
  let r = thread / COLUMN_THREADS;
  let c = thread % COLUMN_THREADS;
  var s0: mat4x4f;
  var s1: mat4x4f;
  var s2: mat4x4f;
  var s3: mat4x4f;
  for (var start = first; start < end; start += DEPTH) {
    workgroupBarrier();
    for (var at = thread; at < DEPTH * aVectors; at += threads) {
      // Neighbours read neighbours: along the inner axis or the rows, whichever is the last axis of a.
      let k = select(at % DEPTH, at / aVectors, aTransposed);
      let four = select(at / DEPTH, at % aVectors, aTransposed);
      let origin = row + 4u * four;
      aTile[k * aPitch + four] = vec4f(
        aNumber(aStart, origin, start + k, end),
        aNumber(aStart, origin + 1u, start + k, end),
        aNumber(aStart, origin + 2u, start + k, end),
        aNumber(aStart, origin + 3u, start + k, end),
      );
    }
    for (var at = thread; at < DEPTH * 16u; at += threads) {
      let k = select(at / 16u, at % DEPTH, bTransposed);
      let four = select(at % 16u, at / DEPTH, bTransposed);
      let origin = column + 4u * four;
      bTile[k * B_PITCH + four] = vec4f(
        bNumber(bStart, start + k, origin, end),
        bNumber(bStart, start + k, origin + 1u, end),
        bNumber(bStart, start + k, origin + 2u, end),
        bNumber(bStart, start + k, origin + 3u, end),
      );
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let above = aTile[k * aPitch + r];
      let below = aTile[k * aPitch + rowThreads + r];
      let left = bTile[k * B_PITCH + c];
      let right = bTile[k * B_PITCH + COLUMN_THREADS + c];
      s0 += mat4x4f(above.x * left, above.y * left, above.z * left, above.w * left);
      s1 += mat4x4f(above.x * right, above.y * right, above.z * right, above.w * right);
      s2 += mat4x4f(below.x * left, below.y * left, below.z * left, below.w * left);
      s3 += mat4x4f(below.x * right, below.y * right, below.z * right, below.w * right);
    }
  }
  let below = row + tileRows / 2u;
  let beside = column + TILE_COLUMNS / 2u;
  keepQuarter(thread, s0, outStart, row, column);
  keepQuarter(thread, s1, outStart, row, beside);
  keepQuarter(thread, s2, outStart, below, column);
  keepQuarter(thread, s3, outStart, below, beside);
}
