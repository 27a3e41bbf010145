/**
 * The flag word of a channel, at the address that `flagsOf` gives:
 *
 *     15    10 9             5 4        3 2     1      0
 *     [  zero ][ activity scale ][ last sign ][ base ][ status ]
 */
const STATUS_MASK: u32 = 3;
const BASED: u32 = 4;
const SIGN_AT: u32 = 3;
const SIGN_MASK: u32 = 3;
const SCALE_AT: u32 = 5;
const SCALE_MASK: u32 = 31;

function read(flags: usize, at: u32, mask: u32): u32 {
  return (<u32>load<u16>(flags) >> at) & mask;
}

function write(flags: usize, at: u32, mask: u32, value: u32): void {
  store<u16>(flags, <u16>((load<u16>(flags) & ~(mask << at)) | (value << at)));
}

/** Has the channel had its first valid sample since the reset? */
export function hasBase(flags: usize): bool {
  return (load<u16>(flags) & BASED) != 0;
}

/** The first valid sample is there. */
export function setBase(flags: usize): void {
  store<u16>(flags, <u16>(load<u16>(flags) | BASED));
}

/** Status of the channel's last sample: 0 ok, 1 invalid, 2 saturated. */
export function lastStatus(flags: usize): i32 {
  return <i32>read(flags, 0, STATUS_MASK);
}

/** Remember a channel's status. */
export function keepStatus(flags: usize, status: i32): void {
  write(flags, 0, STATUS_MASK, <u32>status);
}

/** Sign of the channel's last code: 0 none, 1 negative, 2 positive. */
export function lastSign(flags: usize): i32 {
  return <i32>read(flags, SIGN_AT, SIGN_MASK);
}

/** Remember the sign of a code. */
export function keepSign(flags: usize, code: i64): void {
  write(flags, SIGN_AT, SIGN_MASK, u32(code < 0) | (u32(code > 0) << 1));
}

/** Octaves by which the channel's activities are scaled down, 0..31. */
export function activityScale(flags: usize): u32 {
  return read(flags, SCALE_AT, SCALE_MASK);
}

/** Remember the scale. */
export function keepActivityScale(flags: usize, scale: u32): void {
  write(flags, SCALE_AT, SCALE_MASK, scale);
}
