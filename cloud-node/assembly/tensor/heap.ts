/** First free byte of memory: before it are tables. */
export function heapStart(): usize {
  return (__heap_base + 63) & ~63;
}
