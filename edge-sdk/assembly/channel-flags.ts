/**
 * The flag word of a channel, at the address that `flagsOf` gives:
 *
 *     15     13 12            8 7    6              3     2      1      0
 *     [  run  ][ activity scale ][ 0 ][ last two signs ][ base ][ status ]
 *
 * Signs are 0 none, 1 negative, 2 positive, the last code's in the lower two bits. The run says how many codes in a row
 * were zero: 0, 1, some 2..3, 4..11, 12..43 or more, counted by chance from 2 on.
 */
const STATUS_MASK: u32 = 3;
const BASED: u32 = 4;
const SIGNS_AT: u32 = 3;
const SCALE_BYTE: usize = 1;
const SCALE_MASK: u32 = 31;
const RUN_AT: u32 = 5;
const LONGEST_RUN: u32 = 5;

/** Has the channel had its first valid sample since the reset? */
export function hasBase(flags: usize): bool {
  return (load<u8>(flags) & BASED) != 0;
}

/** The first valid sample is there. */
export function setBase(flags: usize): void {
  store<u8>(flags, <u8>(load<u8>(flags) | BASED));
}

/** Status of the channel's last sample: 0 ok, 1 invalid, 2 saturated; damaged states say 3. */
export function lastStatus(flags: usize): i32 {
  return <i32>(load<u8>(flags) & STATUS_MASK);
}

/** Remember a channel's status. */
export function keepStatus(flags: usize, status: i32): void {
  store<u8>(flags, <u8>((load<u8>(flags) & ~STATUS_MASK) | <u32>status));
}

/** Signs of the channel's last two codes: 4 x the earlier + the later one, each 0 none, 1 negative, 2 positive. */
export function lastSigns(flags: usize): i32 {
  return <i32>load<u8>(flags) >> SIGNS_AT;
}

/** Class of the run of zero codes, 0..5. */
export function zeroRun(flags: usize): u32 {
  return <u32>load<u8>(flags, SCALE_BYTE) >> RUN_AT;
}

/** Remember a code; `dither` decides whether a long run is taken for longer. */
export function keepCode(flags: usize, code: i64, dither: u32): void {
  const sign = u32(code < 0) | (u32(code > 0) << 1);
  const old = <u32>load<u8>(flags);
  const signs = ((old >> SIGNS_AT) << 2) | sign;
  store<u8>(flags, <u8>((old & (STATUS_MASK | BASED)) | ((signs & 15) << SIGNS_AT)));
  const run = zeroRun(flags);
  const chances = run < 2 ? 0 : (1 << (2 * run - 3)) - 1; // one in 1, 2, 8, 32
  const isLonger = run < LONGEST_RUN && ((dither >> 16) & chances) == 0;
  const next = code == 0 ? run + u32(isLonger) : 0;
  store<u8>(flags, <u8>(activityScale(flags) | (next << RUN_AT)), SCALE_BYTE);
}

/** Octaves by which the channel's activities are scaled down. */
export function activityScale(flags: usize): u32 {
  return load<u8>(flags, SCALE_BYTE) & SCALE_MASK;
}

/** Remember the scale. */
export function keepActivityScale(flags: usize, scale: u32): void {
  store<u8>(flags, <u8>((load<u8>(flags, SCALE_BYTE) & ~SCALE_MASK) | scale), SCALE_BYTE);
}
