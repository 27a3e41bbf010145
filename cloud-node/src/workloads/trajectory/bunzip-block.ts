import { type BitSource, PEEK_BITS } from "./bit-source.ts";

const RUN_A = 0;
const RUN_B = 1;
/** Symbols that share a table before the next one is chosen. */
const GROUP = 50;
const MAX_LENGTH = 20;
/** Codes up to this length are looked up at once. */
const QUICK_BITS = 10;
const MAX_TABLES = 6;
const RUN_BEGINS = 4;
const MAX_SELECTORS = 18_002;

/** A Huffman code: symbols in the order of their codes, and per length what turns a code into a place in that order. */
interface CodeTable {
  /** By the next QUICK_BITS: symbol * 32 + length of its code; 0: the code is longer, or there is none. */
  readonly quick: Uint16Array;
  readonly symbols: Uint16Array;
  /** Behind the last code of each length. */
  readonly limits: Int32Array;
  readonly offsets: Int32Array;
}

/**
 * One block of bzip2, behind its magic and digest.
 *
 * @param capacity  bytes before the last step, as the stream's head says
 * @returns plain bytes; undefined when it is damaged, or randomised
 * @throws {OutOfBits} where the bits end inside it
 */
export function decodeBlock(bits: BitSource, capacity: number): Uint8Array | undefined {
  const isRandomised = bits.take(1) === 1;
  const origin = bits.take(24);
  const alphabet = readAlphabet(bits);
  if (isRandomised || alphabet.length === 0) return undefined;
  const tables = bits.take(3);
  const selectorCount = bits.take(15);
  if (tables < 2 || tables > MAX_TABLES || selectorCount === 0) return undefined;
  const selectors = readSelectors(bits, selectorCount, tables);
  if (selectors === undefined) return undefined;
  const codes: CodeTable[] = [];
  for (let i = 0; i < tables; i++) {
    const code = readCode(bits, alphabet.length + 2);
    if (code === undefined) return undefined;
    codes.push(code);
  }
  const sorted = readSymbols(bits, { alphabet, selectors, codes, capacity });
  if (sorted === undefined || origin >= sorted.length) return undefined;
  return expandRuns(unsort(sorted, origin));
}

/** Bytes that occur, in order. */
function readAlphabet(bits: BitSource): number[] {
  const alphabet: number[] = [];
  const rows = bits.take(16);
  for (let row = 0; row < 16; row++) {
    if (((rows >> (15 - row)) & 1) === 0) continue;
    const columns = bits.take(16);
    for (let column = 0; column < 16; column++) {
      if (((columns >> (15 - column)) & 1) === 1) alphabet.push(16 * row + column);
    }
  }
  return alphabet;
}

/** Which table each group uses, from move-to-front ranks in unary. */
function readSelectors(bits: BitSource, count: number, tables: number): Uint8Array | undefined {
  const order = Array.from({ length: tables }, (_, index) => index);
  const selectors = new Uint8Array(Math.min(count, MAX_SELECTORS));
  for (let i = 0; i < count; i++) {
    let rank = 0;
    while (bits.take(1) === 1) {
      rank++;
      if (rank >= tables) return undefined;
    }
    const [table = 0] = order.splice(rank, 1);
    order.unshift(table);
    if (i < MAX_SELECTORS) selectors[i] = table;
  }
  return selectors;
}

function readCode(bits: BitSource, symbolCount: number): CodeTable | undefined {
  const lengths: number[] = [];
  let length = bits.take(5);
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    while (true) {
      if (length < 1 || length > MAX_LENGTH) return undefined;
      if (bits.take(1) === 0) break;
      length += bits.take(1) === 0 ? 1 : -1;
    }
    lengths.push(length);
  }
  return codeOf(lengths);
}

/** @returns undefined where more codes are asked for than there are */
function codeOf(lengths: readonly number[]): CodeTable | undefined {
  const quick = new Uint16Array(1 << QUICK_BITS);
  const symbols = new Uint16Array(lengths.length);
  const limits = new Int32Array(MAX_LENGTH + 1);
  const offsets = new Int32Array(MAX_LENGTH + 1);
  let code = 0;
  let place = 0;
  for (let l = 1; l <= MAX_LENGTH; l++) {
    code <<= 1;
    offsets[l] = place - code;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== l) continue;
      const spare = QUICK_BITS - l;
      if (spare >= 0) quick.fill(symbol * 32 + l, code << spare, (code + 1) << spare);
      symbols[place] = symbol;
      place++;
      code++;
    }
    if (code > 2 ** l) return undefined;
    limits[l] = code;
  }
  return { quick, symbols, limits, offsets };
}

interface SymbolSource {
  readonly alphabet: readonly number[];
  readonly selectors: Uint8Array;
  readonly codes: readonly CodeTable[];
  readonly capacity: number;
}

/** Symbols to the last column of the sorted rotations: Huffman, runs of the front byte, move-to-front. */
function readSymbols(bits: BitSource, { alphabet, selectors, codes, capacity }: SymbolSource): Uint8Array | undefined {
  const out = new Uint8Array(capacity);
  const front = Uint8Array.from(alphabet);
  const end = alphabet.length + 1;
  let size = 0;
  let run = 0;
  let weight = 1;
  for (let taken = 0; ; taken++) {
    const code = codes[selectors[Math.floor(taken / GROUP)] ?? -1];
    const symbol = code === undefined ? -1 : takeSymbol(bits, code);
    if (symbol < 0) return undefined;
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight << symbol;
      weight *= 2;
      if (run > capacity) return undefined;
      continue;
    }
    if (size + run + (symbol === end ? 0 : 1) > capacity) return undefined;
    out.fill(front[0] ?? 0, size, size + run);
    size += run;
    run = 0;
    weight = 1;
    if (symbol === end) return out.subarray(0, size);
    const byte = front[symbol - 1] ?? 0;
    front.copyWithin(1, 0, symbol - 1);
    front[0] = byte;
    out[size] = byte;
    size++;
  }
}

/** @returns -1 where no code fits */
function takeSymbol(bits: BitSource, { quick, symbols, limits, offsets }: CodeTable): number {
  const ahead = bits.peek();
  const entry = quick[ahead >> (PEEK_BITS - QUICK_BITS)] ?? 0;
  if (entry !== 0) {
    bits.skip(entry & 31);
    return entry >> 5;
  }
  for (let length = QUICK_BITS + 1; length <= MAX_LENGTH; length++) {
    const code = ahead >> (PEEK_BITS - length);
    if (code >= (limits[length] ?? 0)) continue;
    bits.skip(length);
    return symbols[code + (offsets[length] ?? 0)] ?? -1;
  }
  return -1;
}

/** Undo the sorting of rotations. @param origin  the row that is the text itself */
function unsort(sorted: Uint8Array, origin: number): Uint8Array {
  const { length } = sorted;
  const starts = new Int32Array(256);
  for (let i = 0; i < length; i++) {
    const byte = sorted[i] ?? 0;
    starts[byte] = (starts[byte] ?? 0) + 1;
  }
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = starts[byte] ?? 0;
    starts[byte] = sum;
    sum += count;
  }
  // Each row's byte below, the row that follows it above: the walk through them misses the cache once a byte, not twice.
  const rows = new Uint32Array(sorted);
  for (let i = 0; i < length; i++) {
    const byte = sorted[i] ?? 0;
    const place = starts[byte] ?? 0;
    rows[place] = (rows[place] ?? 0) | (i << 8);
    starts[byte] = place + 1;
  }
  const text = new Uint8Array(length);
  let at = (rows[origin] ?? 0) >>> 8;
  for (let i = 0; i < length; i++) {
    const row = rows[at] ?? 0;
    text[i] = row;
    at = row >>> 8;
  }
  return text;
}

/** Four equal bytes are followed by how often the byte comes once more. */
function expandRuns(text: Uint8Array): Uint8Array {
  const out = new Uint8Array(expandedBytes(text));
  let at = 0;
  let equal = 0;
  let last = -1;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] ?? 0;
    if (equal === RUN_BEGINS) {
      out.fill(last, at, at + byte);
      at += byte;
      equal = 0;
      last = -1;
    } else {
      out[at] = byte;
      at++;
      equal = byte === last ? equal + 1 : 1;
      last = byte;
    }
  }
  return out;
}

function expandedBytes(text: Uint8Array): number {
  let size = 0;
  let equal = 0;
  let last = -1;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] ?? 0;
    if (equal === RUN_BEGINS) {
      size += byte;
      equal = 0;
      last = -1;
    } else {
      size++;
      equal = byte === last ? equal + 1 : 1;
      last = byte;
    }
  }
  return size;
}
