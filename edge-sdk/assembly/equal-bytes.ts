/**
 * Whether two runs of `length` bytes are the same. It reads all of them, whatever they hold, so that the time it takes does
 * not tell how much of a forged authentication code was right. Range: length >= 0
 */
export function equalBytes(a: usize, b: usize, length: i32): bool {
  let difference: u32 = 0;
  for (; length != 0; length--) {
    difference |= load<u8>(a) ^ load<u8>(b);
    a++;
    b++;
  }
  return difference == 0;
}
