/**
 * CRC-32/ISO-HDLC, that of zlib and Ethernet, bit by bit: chunks are short, and a table would take more flash than it is
 * worth. Range: length >= 0
 *
 * @param before  0, or the CRC of the bytes before these
 * @see ITU-T V.42, 8.1.1.6.2; the check value of "123456789" is 0xcbf43926
 */
export function crc32(before: u32, bytes: usize, length: i32): u32 {
  let crc = ~before;
  for (; length != 0; length--) {
    crc ^= load<u8>(bytes);
    bytes++;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc;
}
