// Sums of the rows of every anchor. Twin: addToSums in assembly/vector-index/anchor-update.ts.
//
// A workgroup has a row. Sums of integers are the same in whatever order they are made, and the host sees to it that
// none leaves 32 bits.

const THREADS = 64u;

struct Shape {
  rows: u32,
  anchors: u32,
  words: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
// What assign found: three numbers of each row, the anchor first.
@group(0) @binding(2) var<storage, read> nearest: array<i32>;
@group(0) @binding(3) var<storage, read> weights: array<u32>;
// (anchors, 2 words) sums, then the weights summed up.
@group(0) @binding(4) var<storage, read_write> sums: array<atomic<i32>>;

@compute @workgroup_size(THREADS)
fn reduce(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = group.x;
  let weight = bitcast<i32>(weights[row]);
  if (weight == 0) {
    return;
  }
  let anchor = bitcast<u32>(nearest[3u * row]);
  for (var word = local; word < shape.words; word += THREADS) {
    let x = bitcast<i32>(rows[row * shape.words + word]);
    let at = 2u * (anchor * shape.words + word);
    atomicAdd(&sums[at], weight * extractBits(x, 0u, 16u));
    atomicAdd(&sums[at + 1u], weight * (x >> 16u));
  }
  if (local == 0u) {
    atomicAdd(&sums[2u * shape.anchors * shape.words + anchor], weight);
  }
}
