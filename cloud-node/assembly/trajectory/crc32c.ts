/**
 * CRC-32C (Castagnoli), reflected, as in RFC 3720; eight bytes at a time.
 *
 * @see M. E. Kounavis and F. L. Berry, "A systematic approach to building high performance software-based CRC generators",
 *   ISCC 2005: table k is what a byte does from k bytes further on
 */
const POLYNOMIAL: u32 = 0x82f63b78;
const STRIDE: usize = 8;
const ENTRIES: u32 = 256;
const TABLE: usize = memory.data(8 * 256 * 4, 4);

function entryAt(table: u32, byte: u32): usize {
  return TABLE + ((<usize>(table * ENTRIES + (byte & 0xff))) << 2);
}

function fillTables(): void {
  for (let i: u32 = 0; i < ENTRIES; i++) {
    let r = i;
    for (let bit = 0; bit < 8; bit++) r = r & 1 ? (r >> 1) ^ POLYNOMIAL : r >> 1;
    store<u32>(entryAt(0, i), r);
  }
  for (let table: u32 = 1; table < <u32>STRIDE; table++) {
    for (let i: u32 = 0; i < ENTRIES; i++) {
      const r = load<u32>(entryAt(table - 1, i));
      store<u32>(entryAt(table, i), (r >> 8) ^ load<u32>(entryAt(0, r)));
    }
  }
}

/** What four bytes do, of which the last is in `table`. */
function fourBytes(word: u32, table: u32): u32 {
  const first = load<u32>(entryAt(table + 3, word)) ^ load<u32>(entryAt(table + 2, word >> 8));
  return first ^ load<u32>(entryAt(table + 1, word >> 16)) ^ load<u32>(entryAt(table, word >> 24));
}

/** Go on with a checksum; 0 to begin. */
export function crc32c(checksum: u32, at: usize, bytes: usize): u32 {
  if (load<u32>(entryAt(0, 1)) == 0) fillTables();
  let r = ~checksum;
  let i: usize = 0;
  for (; i + STRIDE <= bytes; i += STRIDE) r = fourBytes(load<u32>(at + i) ^ r, 4) ^ fourBytes(load<u32>(at + i, 4), 0);
  for (; i < bytes; i++) r = (r >> 8) ^ load<u32>(entryAt(0, r ^ <u32>load<u8>(at + i)));
  return ~r;
}
