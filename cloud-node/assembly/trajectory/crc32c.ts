/** CRC-32C (Castagnoli), reflected, as in RFC 3720. */
const POLYNOMIAL: u32 = 0x82f63b78;
const TABLE: usize = memory.data(256 * 4, 4);

function fillTable(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let r = i;
    for (let bit = 0; bit < 8; bit++) r = r & 1 ? (r >> 1) ^ POLYNOMIAL : r >> 1;
    store<u32>(TABLE + ((<usize>i) << 2), r);
  }
}

/** Go on with a checksum; 0 to begin. */
export function crc32c(checksum: u32, at: usize, bytes: usize): u32 {
  if (load<u32>(TABLE + 4) == 0) fillTable();
  let r = ~checksum;
  for (let i: usize = 0; i < bytes; i++) {
    r = (r >> 8) ^ load<u32>(TABLE + ((<usize>((r ^ <u32>load<u8>(at + i)) & 0xff)) << 2));
  }
  return ~r;
}
