/**
 * The flag word of a channel, at the address that `flagsOf` gives:
 *
 *     31      24 23            16 15             8 7    3     2      1      0
 *     [ run ][ last two codes ][ activity scale ][ zero ][ base ][ status ]
 *
 * The last two codes are 5 x class of the last + class of the one before, a class being 0 for zero, 1 and 2 for +-1,
 * 3 and 4 for larger ones, odd for negative. The run counts zero codes since the last other one, up to 255.
 */
const STATUS_MASK: u32 = 3;
const BASED: u32 = 4;
const SCALE_BYTE: usize = 1;
const CODES_BYTE: usize = 2;
const RUN_BYTE: usize = 3;
const CODE_CLASSES: u32 = 5;

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

/** Remember a code. */
export function keepCode(flags: usize, code: i64): void {
  const size = <u32>min<i64>(code < 0 ? -code : code, 2);
  const codeClass = size == 0 ? 0 : 2 * size - u32(code < 0);
  const last = <u32>load<u8>(flags, CODES_BYTE) / CODE_CLASSES;
  store<u8>(flags, <u8>(codeClass * CODE_CLASSES + last), CODES_BYTE);
  store<u8>(flags, size == 0 ? <u8>min<u32>(<u32>load<u8>(flags, RUN_BYTE) + 1, 255) : 0, RUN_BYTE);
}

/** Class of the last code (back = 0) or of the one before it (back = 1): 0 zero, else 2 min(|code|, 2), less 1 if negative. */
export function codeClass(flags: usize, back: i32): i32 {
  const codes = <u32>load<u8>(flags, CODES_BYTE);
  return <i32>(back ? codes % CODE_CLASSES : codes / CODE_CLASSES);
}

/** Zero codes since the last other one, up to 255. */
export function zeroRun(flags: usize): u32 {
  return load<u8>(flags, RUN_BYTE);
}

/** Octaves by which the channel's activities are scaled down. */
export function activityScale(flags: usize): u32 {
  return load<u8>(flags, SCALE_BYTE);
}

/** Remember the scale. */
export function keepActivityScale(flags: usize, scale: u32): void {
  store<u8>(flags, <u8>scale, SCALE_BYTE);
}
