import { signOf } from "./fixed-point";

/**
 * The flag word of a channel, at the address that `flagsOf` gives:
 *
 *     15             8 7    6              3     2      1      0
 *     [ activity scale ][ 0 ][ last two signs ][ base ][ status ]
 *
 * Signs are 0 none, 1 negative, 2 positive, the last code's in the lower two bits.
 */
const STATUS_MASK: u32 = 3;
const BASED: u32 = 4;
const SIGNS_AT: u32 = 3;
const SIGNS_MASK: u32 = 15;
const SCALE_BYTE: usize = 1;

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

/** Remember the sign of a code. */
export function keepSign(flags: usize, code: i64): void {
  const old = <u32>load<u8>(flags);
  const signs = (((old >> SIGNS_AT) << 2) | signOf(code)) & SIGNS_MASK;
  store<u8>(flags, <u8>((old & (STATUS_MASK | BASED)) | (signs << SIGNS_AT)));
}

/** Octaves by which the channel's activities are scaled down. */
export function activityScale(flags: usize): u32 {
  return load<u8>(flags, SCALE_BYTE);
}

/** Remember the scale. */
export function keepActivityScale(flags: usize, scale: u32): void {
  store<u8>(flags, <u8>scale, SCALE_BYTE);
}
