// In front of every kernel: the arena, a buffer for each section, and sums over a workgroup.
//
// A place X that a kernel is given is a section, fixed when its pipeline is made, and an offset in it, given with every
// call. For each place, loadX, bitsX, storeX and contributeX are written by device-pipelines.ts, and hasX where a place
// may be "none". Numbers are kept as bits, since some are whole.

@group(0) @binding(0) var<storage, read_write> value: array<u32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<u32>;
@group(0) @binding(2) var<storage, read_write> average: array<u32>;
@group(0) @binding(3) var<storage, read_write> squareAverage: array<u32>;
@group(0) @binding(4) var<storage, read_write> work: array<u32>;

// Threads that work on a row together.
const ROW_THREADS = 64u;
// Threads of a workgroup where every one works for itself.
const THREADS = 128u;
// Below all that a row holds.
const LOWEST = -3.4028234e38;

// Devices may take it that every number is one: by their own functions NaN may come out as something else.
fn isNumber(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) <= 0x7f800000u;
}

fn exponential(x: f32) -> f32 {
  return select(x, exp(x), isNumber(x));
}

fn logarithm(x: f32) -> f32 {
  return select(x, log(x), isNumber(x));
}

// Both words to one. Twin: `mixWords` of random.ts.
fn mixWords(a: u32, b: u32) -> u32 {
  var word = (a ^ (b * 0xcc9e2d51u)) * 0x1b873593u + 0xe6546b64u;
  word = (word ^ (word >> 16u)) * 0x85ebca6bu;
  word = (word ^ (word >> 13u)) * 0xc2b2ae35u;
  return word ^ (word >> 16u);
}

var<workgroup> partial: array<f32, ROW_THREADS>;

// The sum of what every thread of a row's workgroup has, always in the same order.
fn sumOfRow(thread: u32, number: f32) -> f32 {
  workgroupBarrier();
  partial[thread] = number;
  for (var half = ROW_THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      partial[thread] += partial[thread + half];
    }
  }
  workgroupBarrier();
  return partial[0];
}

fn largestOfRow(thread: u32, number: f32) -> f32 {
  workgroupBarrier();
  partial[thread] = number;
  for (var half = ROW_THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      partial[thread] = max(partial[thread], partial[thread + half]);
    }
  }
  workgroupBarrier();
  return partial[0];
}
