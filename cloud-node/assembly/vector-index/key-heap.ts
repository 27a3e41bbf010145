/**
 * The smallest keys of many. A key is a number's order (32 bits) above an id (32 bits), so that equal numbers go by id.
 * The heap has its largest key first. An entry is ENTRY_BYTES: the key, u64, and a number that goes with it, f32.
 */

export const ENTRY_BYTES: i32 = 16;

/** A number as 32 bits that order as it does, -0 as 0; not for NaN. */
export function orderOf(x: f32): u32 {
  const bits = reinterpret<i32>(x + 0);
  return <u32>(bits ^ ((bits >> 31) | i32.MIN_VALUE));
}

/** The number of which `order` is the order. */
export function numberOf(order: u32): f32 {
  const bits = <i32>order;
  return reinterpret<f32>(bits ^ (~(bits >> 31) | i32.MIN_VALUE));
}

/** The key of the entry at `i`, and what goes with it. */
export function keyAt(heap: usize, i: i32): u64 {
  return load<u64>(heap + ((<usize>i) << 4));
}
export function valueAt(heap: usize, i: i32): f32 {
  return load<f32>(heap + ((<usize>i) << 4), 8);
}

function put(heap: usize, i: i32, key: u64, value: f32): void {
  store<u64>(heap + ((<usize>i) << 4), key);
  store<f32>(heap + ((<usize>i) << 4), value, 8);
}

function move(heap: usize, from: i32, to: i32): void {
  v128.store(heap + ((<usize>to) << 4), v128.load(heap + ((<usize>from) << 4)));
}

/** Add an entry to a heap of `count`, for which there is room. */
export function pushKey(heap: usize, count: i32, key: u64, value: f32): void {
  let at = count;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (keyAt(heap, parent) >= key) break;
    move(heap, parent, at);
    at = parent;
  }
  put(heap, at, key, value);
}

/** Put an entry in the place of the one with the largest key of `count`, 1 or more. */
export function replaceLargest(heap: usize, count: i32, key: u64, value: f32): void {
  let at = 0;
  let child = 1;
  while (child < count) {
    if (child + 1 < count && keyAt(heap, child + 1) > keyAt(heap, child)) child++;
    if (keyAt(heap, child) <= key) break;
    move(heap, child, at);
    at = child;
    child = 2 * at + 1;
  }
  put(heap, at, key, value);
}

/** Sort a heap of `count`, the smallest key first; it is no heap afterwards. */
export function sortHeap(heap: usize, count: i32): void {
  for (let last = count - 1; last > 0; last--) {
    const largest = keyAt(heap, 0);
    const value = valueAt(heap, 0);
    replaceLargest(heap, last, keyAt(heap, last), valueAt(heap, last));
    put(heap, last, largest, value);
  }
}
