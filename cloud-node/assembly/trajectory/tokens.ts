/**
 * The alphabet: 128 tokens for every u32.
 *
 *     z < 16     token z
 *     z >= 16    with l = floor(log2 z): token 16 + 4 (l - 4) + the two bits after the leading one; l - 2 raw bits
 */
export const TOKENS: i32 = 128;
const DIRECT: u32 = 16;
const SHORT: u32 = 4096;
const TOKEN_OF: usize = memory.data(4096, 16);
const RAW_BITS: usize = memory.data(TOKENS, 16);
const BASE: usize = memory.data(TOKENS * 4, 16);

/** Fill the tables; at the start of every block. */
export function prepareTokens(): void {
  if (load<u8>(RAW_BITS + 127) != 0) return;
  for (let token: u32 = 0; token < <u32>TOKENS; token++) {
    const raw = token < DIRECT ? 0 : ((token - DIRECT) >> 2) + 2;
    store<u8>(RAW_BITS + token, <u8>raw);
    store<u32>(BASE + ((<usize>token) << 2), token < DIRECT ? token : (4 | (token & 3)) << raw);
  }
  for (let z: u32 = 0; z < SHORT; z++) store<u8>(TOKEN_OF + z, <u8>tokenOfAny(z));
}

function tokenOfAny(z: u32): u32 {
  if (z < DIRECT) return z;
  const length: u32 = 31 - clz(z);
  return DIRECT + ((length - 4) << 2) + ((z >> (length - 2)) & 3);
}

export function tokenOf(z: u32): u32 {
  return z < SHORT ? <u32>load<u8>(TOKEN_OF + z) : tokenOfAny(z);
}

/** How many raw bits follow a token. Range: 0 … 29. */
export function rawBitsOf(token: u32): u32 {
  return load<u8>(RAW_BITS + token);
}

/** The least code of a token: its raw bits are zero. */
export function baseOf(token: u32): u32 {
  return load<u32>(BASE + ((<usize>token) << 2));
}
