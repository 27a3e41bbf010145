/** Base-2 logarithms for prices: the mantissa's by a table of 2^-11. Exact enough to choose by, the same everywhere. */
const STEPS: i32 = 2048;
const TABLE: usize = memory.data((STEPS + 1) * 8, 16);

function fillTable(): void {
  for (let i = 0; i <= STEPS; i++) store<f64>(TABLE + ((<usize>i) << 3), Math.log2(1.0 + <f64>i / <f64>STEPS));
}

/** log2 of a count. Range: n >= 1. */
export function logarithm(n: u32): f64 {
  if (load<f64>(TABLE, STEPS * 8) == 0) fillTable();
  const length: u32 = 31 - clz(n);
  const part = length >= 11 ? (n >> (length - 11)) & 2047 : (n << (11 - length)) & 2047;
  return <f64>length + load<f64>(TABLE + ((<usize>part) << 3));
}
