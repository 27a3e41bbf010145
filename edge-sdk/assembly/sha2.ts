import { rootFraction, SQUARE_ROOTS } from "./sha2-constants";

/**
 * What SHA-256 and SHA-512 have in common, by their word T, u32 or u64. A state, at any address:
 *
 *     0          hash so far    8 words
 *     8 words    bytes taken    1 word
 *     9 words    block          16 words, each as a number: what does not fill it yet; then its message schedule
 *
 * A byte goes to where a little-endian machine has it in its word, so that nothing has to be swapped. A message has less
 * than 2^32 bytes.
 *
 * @see FIPS 180-4, 5.1, 5.2, 6.2 and 6.4
 */

/** Words of a state. */
export const SHA2_STATE_WORDS: usize = 25;

const HASH_WORDS: usize = 8;
const BLOCK_WORDS: u32 = 16;
/** Of the message's length in bits, at the end of its last block. */
const LENGTH_WORDS: u32 = 2;

/** Begin a message. */
export function sha2Reset<T>(state: usize): void {
  for (let i = 0; i < <i32>HASH_WORDS; i++) store<T>(wordAt<T>(state, i), constant<T>(SQUARE_ROOTS + i));
  store<T>(wordAt<T>(state, HASH_WORDS), 0);
}

/** Take in the next `length` bytes, >= 0. */
export function sha2Update<T>(state: usize, bytes: usize, length: i32): void {
  for (; length != 0; length--) {
    sha2Append<T>(state, load<u8>(bytes));
    bytes++;
  }
}

/** End the message, and write its digest, 8 words, most significant byte first; it may lie over the state's block. */
export function sha2Finish<T>(state: usize, digest: usize): void {
  const count = wordAt<T>(state, HASH_WORDS);
  const bits = (<u64>load<T>(count)) << 3;
  sha2Append<T>(state, 0x80);
  while ((<u32>load<T>(count) & (blockBytes<T>() - 1)) != blockBytes<T>() - LENGTH_WORDS * <u32>sizeof<T>()) {
    sha2Append<T>(state, 0);
  }
  for (let left = LENGTH_WORDS * <u32>sizeof<T>(); left != 0; ) {
    left--;
    sha2Append<T>(state, left < 8 ? <u32>(bits >> <u64>(left << 3)) & 0xff : 0);
  }
  for (let i: u32 = 0; i < <u32>(HASH_WORDS * sizeof<T>()); i++) {
    store<u8>(digest + i, load<u8>(state + (i ^ <u32>(sizeof<T>() - 1))));
  }
}

function blockBytes<T>(): u32 {
  return BLOCK_WORDS * <u32>sizeof<T>();
}

function wordAt<T>(base: usize, i: usize): usize {
  return base + i * sizeof<T>();
}

function constant<T>(i: i32): T {
  return <T>(rootFraction(i) >> <u64>(64 - 8 * sizeof<T>()));
}

/** Take in one byte. Range: 0..255 */
export function sha2Append<T>(state: usize, byte: u32): void {
  const taken = <u32>load<T>(wordAt<T>(state, HASH_WORDS));
  store<T>(wordAt<T>(state, HASH_WORDS), <T>(taken + 1));
  const place = taken & (blockBytes<T>() - 1);
  const block = wordAt<T>(state, HASH_WORDS + 1);
  store<u8>(block + (place ^ <u32>(sizeof<T>() - 1)), byte);
  if (place == blockBytes<T>() - 1) compress<T>(state, block);
}

/** Take the block into the hash. The names are those of the standard. */
function compress<T>(state: usize, block: usize): void {
  let a = load<T>(state);
  let b = load<T>(wordAt<T>(state, 1));
  let c = load<T>(wordAt<T>(state, 2));
  let d = load<T>(wordAt<T>(state, 3));
  let e = load<T>(wordAt<T>(state, 4));
  let f = load<T>(wordAt<T>(state, 5));
  let g = load<T>(wordAt<T>(state, 6));
  let h = load<T>(wordAt<T>(state, 7));
  const rounds = sizeof<T>() == 4 ? 64 : 80;
  for (let t = 0; t < rounds; t++) {
    const t1 = <T>(h + sum1<T>(e) + ((e & f) ^ (~e & g)) + constant<T>(t) + schedule<T>(block, t));
    const t2 = <T>(sum0<T>(a) + ((a & b) ^ (a & c) ^ (b & c)));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  addTo<T>(state, a);
  addTo<T>(wordAt<T>(state, 1), b);
  addTo<T>(wordAt<T>(state, 2), c);
  addTo<T>(wordAt<T>(state, 3), d);
  addTo<T>(wordAt<T>(state, 4), e);
  addTo<T>(wordAt<T>(state, 5), f);
  addTo<T>(wordAt<T>(state, 6), g);
  addTo<T>(wordAt<T>(state, 7), h);
}

function addTo<T>(at: usize, value: T): void {
  store<T>(at, <T>(load<T>(at) + value));
}

/** Word t of the schedule: those before it are the block, then it takes the place of the one 16 before. */
function schedule<T>(block: usize, t: i32): T {
  const at = wordAt<T>(block, t & 15);
  let word = load<T>(at);
  if (t >= 16) {
    word +=
      sigma1<T>(load<T>(wordAt<T>(block, (t - 2) & 15))) +
      load<T>(wordAt<T>(block, (t - 7) & 15)) +
      sigma0<T>(load<T>(wordAt<T>(block, (t - 15) & 15)));
    store<T>(at, word);
  }
  return word;
}

function sum0<T>(x: T): T {
  return sizeof<T>() == 4 ? spin<T>(x, 2, 13, 22) : spin<T>(x, 28, 34, 39);
}

function sum1<T>(x: T): T {
  return sizeof<T>() == 4 ? spin<T>(x, 6, 11, 25) : spin<T>(x, 14, 18, 41);
}

function sigma0<T>(x: T): T {
  return sizeof<T>() == 4 ? shifted<T>(x, 7, 18, 3) : shifted<T>(x, 1, 8, 7);
}

function sigma1<T>(x: T): T {
  return sizeof<T>() == 4 ? shifted<T>(x, 17, 19, 10) : shifted<T>(x, 19, 61, 6);
}

function spin<T>(x: T, i: T, j: T, k: T): T {
  return rotr<T>(x, i) ^ rotr<T>(x, j) ^ rotr<T>(x, k);
}

function shifted<T>(x: T, i: T, j: T, k: T): T {
  return rotr<T>(x, i) ^ rotr<T>(x, j) ^ (x >> k);
}
