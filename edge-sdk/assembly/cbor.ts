/**
 * Deterministic CBOR (RFC 8949, 4.2.1) in the subset that protocol/SPEC.md uses: integers, byte and text strings,
 * definite arrays. Whoever writes has checked that there is room (at most 9 bytes for a header). The reader refuses
 * whatever a deterministic writer would not have written.
 */

export const MAJOR_UINT: u32 = 0;
export const MAJOR_NEGATIVE: u32 = 1;
export const MAJOR_BYTES: u32 = 2;
export const MAJOR_TEXT: u32 = 3;
export const MAJOR_ARRAY: u32 = 4;

/** Most bytes of one header: initial byte and a 64-bit argument. */
export const HEADER_BYTES_MAX: i32 = 9;

// Writer and reader walk one message at a time; these are scratch, not state: nothing outlives a message.
let written: usize = 0;

/** Begin to write at an address. */
export function writeBegin(at: usize): void {
  written = at;
}

/** Address after what was written. */
export function writePosition(): usize {
  return written;
}

/** Write an initial byte of the major type that is its upper three bits, and an argument in the shortest form. */
function writeArgument(major: u32, value: u64): void {
  if (value < 24) {
    writeBigEndian(major | <u32>value, 0, 0);
    return;
  }
  let log: u32 = 0; // of the value's bytes: 1, 2, 4 or 8
  while (log < 3 && value >> <u64>(8 << log) != 0) log++;
  writeBigEndian(major | (24 + log), value, 1 << log);
}

/** Write an unsigned integer. */
export function writeLong(value: u64): void {
  writeArgument(MAJOR_UINT << 5, value);
}

/** An initial byte, and behind it a number of `bytes` bytes, most significant first. */
function writeBigEndian(initial: u32, value: u64, bytes: usize): void {
  store<u8>(written, initial);
  written += bytes;
  for (let at = written; bytes > 0; bytes--) {
    store<u8>(at, <u8>value);
    value >>= 8;
    at--;
  }
  written++;
}

/** Write a hash as a byte string of `bytes` bytes, at most 8, most significant first. */
export function writeHash(hash: u64, bytes: usize): void {
  writeBigEndian((MAJOR_BYTES << 5) | <u32>bytes, hash, bytes);
}

/** Write an unsigned integer of up to 32 bits. */
export function writeUint(value: u32): void {
  writeLong(value);
}

/** Write a signed integer. */
export function writeInt(value: i64): void {
  const sign = value >> 63;
  writeArgument(<u32>sign & (MAJOR_NEGATIVE << 5), <u64>(value ^ sign)); // -1 - value, where that is what travels
}

/** Write an initial byte of any major type, and its argument. */
export function writeHeader(major: u32, argument: u32): void {
  writeArgument(major << 5, argument);
}

/** Write a byte string (MAJOR_BYTES) or text string (MAJOR_TEXT) copied from `from`. */
export function writeString(major: u32, from: usize, length: i32): void {
  writeHeader(major, length);
  writeCopy(from, length);
}

/** Write bytes as they are. */
export function writeCopy(from: usize, length: i32): void {
  copy(written, from, length);
  written += length;
}

/** Copy bytes to an address, from below or from elsewhere. */
export function copy(at: usize, from: usize, length: i32): void {
  for (; length != 0; length--) {
    store<u8>(at, load<u8>(from));
    at++;
    from++;
  }
}

let cursor: usize = 0;
let limit: usize = 0; // end of the message; 0 once something in it was refused, so that nothing more is read

/** Whether an unsigned number is one of those that travel: below 2^53. */
export function isInteger53(value: u64): bool {
  return value >> 53 == 0;
}

/** Begin to read `length` bytes at `at`. */
export function readBegin(at: usize, length: i32): void {
  cursor = at;
  limit = at + <usize>length;
}

/** Whether everything read so far was there, of the type asked for and in its shortest form. */
export function readIsSound(): bool {
  return limit != 0;
}

/** Whether the message ended exactly here and was sound. */
export function readIsDone(): bool {
  return cursor == limit;
}

/** Address of the next unread byte. */
export function readPosition(): usize {
  return cursor;
}

/** The number in `bytes` bytes at `at`, most significant first. */
export function loadBigEndian(at: usize, bytes: usize): u64 {
  let value: u64 = 0;
  for (const end = at + bytes; at < end; at++) value = (value << 8) | load<u8>(at);
  return value;
}

/** Read a header of the given major type; returns its argument, 0 (and unsound from here on) if it is another. */
export function readArgument(major: u32): u64 {
  if (cursor >= limit || <u32>load<u8>(cursor) >> 5 != major) return refuse();
  const info = <u32>load<u8>(cursor) & 31;
  cursor++;
  if (info < 24) return info;
  if (info > 27) return refuse();
  const bytes = (<usize>1) << (info - 24);
  if (limit - cursor < bytes) return refuse();
  const argument = loadBigEndian(cursor, bytes);
  cursor += bytes;
  const least: u64 = info == 24 ? 24 : (<u64>1) << (<u64>(bytes << 2));
  return argument < least ? refuse() : argument;
}

/** Read a header whose argument is at most `max`. */
export function readHeader(major: u32, max: u32): u32 {
  const argument = readArgument(major);
  return <u32>(argument > max ? refuse() : argument);
}

/** Read an unsigned integer of at most `max`. */
export function readUint(max: u32): u32 {
  return readHeader(MAJOR_UINT, max);
}

/** Read a string of the given major type and at most `max` bytes; returns its length, the content ends at the cursor. */
export function readString(major: u32, max: u32): i32 {
  const length = readHeader(major, max);
  if (length > <u32>(limit - cursor)) return <i32>refuse();
  cursor += length;
  return <i32>length;
}

function refuse(): u64 {
  limit = 0;
  return 0;
}
