// Anchors moved to the means of their rows, and disturbed. Twin: updateAnchors in assembly/vector-index/anchor-update.ts
// with counter-noise.ts; what the numbers are is said there.

const THREADS = 64u;

struct Shape {
  anchors: u32,
  words: u32,
  seed: u32,
  range: i32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
// (anchors, 2 words) sums, then the weights summed up.
@group(0) @binding(1) var<storage, read> sums: array<i32>;
@group(0) @binding(2) var<storage, read> amplitudes: array<i32>;
@group(0) @binding(3) var<storage, read_write> anchors: array<u32>;

fn mix(bits: u32) -> u32 {
  var x = bits;
  x ^= x >> 16u;
  x *= 0x7feb352du;
  x ^= x >> 15u;
  x *= 0x846ca68bu;
  return x ^ (x >> 16u);
}

fn noise(index: u32, amplitude: i32) -> i32 {
  let bits = mix(mix(index) ^ shape.seed);
  let bytes = (bits & 255u) + ((bits >> 8u) & 255u) + ((bits >> 16u) & 255u) + (bits >> 24u);
  return ((bitcast<i32>(bytes) - 510) * amplitude + 0x8000) >> 16u;
}

// To the nearest integer, halves away from 0.
fn quotient(a: i32, b: i32) -> i32 {
  let rest = a % b;
  let away = select(0, select(1, -1, a < 0), 2 * abs(rest) >= b);
  return a / b + away;
}

fn moved(index: u32, dimension: u32, count: i32) -> i32 {
  let value = quotient(sums[index], count) + noise(index, amplitudes[dimension]);
  return clamp(value, -shape.range, shape.range);
}

@compute @workgroup_size(THREADS)
fn update(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let anchor = group.x;
  let count = sums[2u * shape.anchors * shape.words + anchor];
  if (count == 0) {
    return;
  }
  for (var word = local; word < shape.words; word += THREADS) {
    let at = anchor * shape.words + word;
    let even = moved(2u * at, 2u * word, count);
    let odd = moved(2u * at + 1u, 2u * word + 1u, count);
    anchors[at] = (bitcast<u32>(even) & 0xffffu) | (bitcast<u32>(odd) << 16u);
  }
}
