// The nearest anchor of every row. Twin: assembly/vector-index/nearest-anchor.ts, which gives the same integers.
//
// Rows and anchors are i16, two dimensions in a word, the even one in its lower half. A thread has a row; a tile of
// anchors, and as many words of each, are shared by the workgroup, and the tile's distances stay in registers.

const ROWS = 64u;
const ANCHORS = 16u;
const WORDS = 16u;
const NO_ANCHOR = 0x7fffffffi;

struct Shape {
  rows: u32,
  anchors: u32,
  // Words of a row: a multiple of 8.
  words: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> anchors: array<u32>;
// Of each row: the nearest anchor, of several the lowest; its squared distance; that of the next one.
@group(0) @binding(3) var<storage, read_write> nearest: array<i32>;

var<workgroup> tile: array<u32, 256>;

fn low(word: u32) -> i32 {
  return extractBits(bitcast<i32>(word), 0u, 16u);
}

fn high(word: u32) -> i32 {
  return bitcast<i32>(word) >> 16u;
}

fn load(first: u32, start: u32, at: u32) -> u32 {
  let anchor = first + at / WORDS;
  let word = start + at % WORDS;
  if (anchor < shape.anchors && word < shape.words) {
    return anchors[anchor * shape.words + word];
  }
  return 0u;
}

@compute @workgroup_size(ROWS)
fn assign(@builtin(global_invocation_id) global: vec3u, @builtin(local_invocation_index) local: u32) {
  // A thread beyond the last row works on that row too, as all must come to the barriers, and keeps nothing.
  let row = min(global.x, shape.rows - 1u);
  var best = NO_ANCHOR;
  var second = NO_ANCHOR;
  var id = 0u;
  for (var first = 0u; first < shape.anchors; first += ANCHORS) {
    var distances: array<i32, ANCHORS>;
    for (var start = 0u; start < shape.words; start += WORDS) {
      workgroupBarrier();
      for (var at = local; at < ANCHORS * WORDS; at += ROWS) {
        tile[at] = load(first, start, at);
      }
      workgroupBarrier();
      let count = min(WORDS, shape.words - start);
      for (var word = 0u; word < count; word++) {
        let x = rows[row * shape.words + start + word];
        let even = low(x);
        let odd = high(x);
        for (var a = 0u; a < ANCHORS; a++) {
          let c = tile[a * WORDS + word];
          let u = even - low(c);
          let v = odd - high(c);
          distances[a] += u * u + v * v;
        }
      }
    }
    let count = min(ANCHORS, shape.anchors - first);
    for (var a = 0u; a < count; a++) {
      let distance = distances[a];
      if (distance < best) {
        second = best;
        best = distance;
        id = first + a;
      } else {
        second = min(second, distance);
      }
    }
  }
  if (global.x < shape.rows) {
    nearest[3u * row] = bitcast<i32>(id);
    nearest[3u * row + 1u] = best;
    nearest[3u * row + 2u] = second;
  }
}
