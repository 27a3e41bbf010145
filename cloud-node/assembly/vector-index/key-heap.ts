/**
 * The smallest keys of many. A key is a number's order (32 bits) above an id (32 bits), so that equal numbers go by id.
 * The heap has its largest key first; keys are u64.
 */

/** A number as 32 bits that order as it does; not for NaN. */
export function orderOf(x: f32): u32 {
  const bits = reinterpret<i32>(x);
  return <u32>(bits ^ ((bits >> 31) | i32.MIN_VALUE));
}

/** The number of which `order` is the order. */
export function numberOf(order: u32): f32 {
  const bits = <i32>order;
  return reinterpret<f32>(bits ^ (~(bits >> 31) | i32.MIN_VALUE));
}

/** Add a key to a heap of `count`, for which there is room. */
export function pushKey(heap: usize, count: i32, key: u64): void {
  let at = count;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = load<u64>(heap + ((<usize>parent) << 3));
    if (above >= key) break;
    store<u64>(heap + ((<usize>at) << 3), above);
    at = parent;
  }
  store<u64>(heap + ((<usize>at) << 3), key);
}

/** Put a key in the place of the largest of `count`, 1 or more. */
export function replaceLargest(heap: usize, count: i32, key: u64): void {
  let at = 0;
  let child = 1;
  while (child < count) {
    let larger = load<u64>(heap + ((<usize>child) << 3));
    if (child + 1 < count) {
      const other = load<u64>(heap + ((<usize>child) << 3), 8);
      if (other > larger) {
        larger = other;
        child++;
      }
    }
    if (larger <= key) break;
    store<u64>(heap + ((<usize>at) << 3), larger);
    at = child;
    child = 2 * at + 1;
  }
  store<u64>(heap + ((<usize>at) << 3), key);
}

/** Sort a heap of `count`, the smallest key first; it is no heap afterwards. */
export function sortHeap(heap: usize, count: i32): void {
  for (let last = count - 1; last > 0; last--) {
    const largest = load<u64>(heap);
    const key = load<u64>(heap + ((<usize>last) << 3));
    replaceLargest(heap, last, key);
    store<u64>(heap + ((<usize>last) << 3), largest);
  }
}
