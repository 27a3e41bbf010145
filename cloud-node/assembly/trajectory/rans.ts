import { CONTEXTS } from "./contexts";
import { CLASSES } from "./schedule";
import { dividersOf, PROBABILITY_BITS, TOTAL, tableAt } from "./tables";
import { baseOf, rawBitsOf, TOKENS } from "./tokens";

/**
 * Asymmetric numeral systems by ranges: four 32-bit states in turn (code i of a run has state i mod 4), renormalised
 * by 16 bits, L = 2^15, without a branch. The encoder goes backwards. Raw bits run forwards in a stream of their own.
 *
 * @see J. Duda, "Asymmetric numeral systems", arXiv:1311.2540; F. Giesen, "Interleaved entropy coders",
 *   arXiv:1402.3392, for the reciprocals
 */
const LEAST: u32 = 1 << 15;
const STATES: i32 = 4;
/** Per class, context and token: largest state that needs no renormalising, reciprocal, bias, shift and complement. */
const SYMBOL_BYTES: usize = 16;
const SYMBOLS: usize = memory.data(CLASSES * CONTEXTS * TOKENS * 16, 16);
const SLOTS: usize = memory.data(CLASSES * CONTEXTS * 4096, 16);
/** What a decoder needs of a token, in one word: frequency (13 bits), first slot (12), raw bits (5), least code (upper 32). */
const SPREAD: usize = memory.data(CLASSES * CONTEXTS * TOKENS * 8, 16);
const FREQUENCY_BITS: u32 = 13;
const RAW_SHIFT: u32 = 25;
const CODE_SHIFT: u64 = 32;

let x0: u32 = LEAST;
let x1: u32 = LEAST;
let x2: u32 = LEAST;
let x3: u32 = LEAST;
let words: usize = 0;
let rawAt: usize = 0;
let rawHeld: u32 = 0;

/** Make what the encoder needs of the frequencies of a class. */
export function prepareEncoder(kind: i32): void {
  for (let context = 0; context < CONTEXTS; context++) {
    const table = tableAt(kind, context);
    let at = SYMBOLS + <usize>((kind * CONTEXTS + context) * TOKENS) * SYMBOL_BYTES;
    let first: u32 = 0;
    for (let token = 0; token < TOKENS; token++) {
      const frequency = load<u32>(table + ((<usize>token) << 2));
      putSymbol(at, frequency, first);
      first += frequency;
      at += SYMBOL_BYTES;
    }
  }
}

function putSymbol(at: usize, frequency: u32, first: u32): void {
  store<u32>(at, frequency << 19);
  store<u16>(at, <u16>(TOTAL - frequency), 14);
  if (frequency < 2) {
    store<u32>(at, 0xffffffff, 4);
    store<u32>(at, first + TOTAL - 1, 8);
    store<u16>(at, 0, 12);
    return;
  }
  const shift: u32 = 32 - clz(frequency - 1);
  store<u32>(at, <u32>((((<u64>1) << (shift + 31)) + frequency - 1) / frequency), 4);
  store<u32>(at, first, 8);
  store<u16>(at, <u16>(shift - 1), 12);
}

/** Begin to encode: words are written downwards from `end`. */
export function openEncoder(end: usize): void {
  x0 = x1 = x2 = x3 = LEAST;
  words = end;
}

/** Where the words begin now. */
export function wordsAt(): usize {
  return words;
}

/**
 * Encode a run, last code first.
 *
 * @param symbols  u16 each, context << 7 | token
 */
export function encodeRun(kind: i32, symbols: usize, count: i32): void {
  const table = SYMBOLS + <usize>(kind * CONTEXTS * TOKENS) * SYMBOL_BYTES;
  let i = count - 1;
  for (; (i & (STATES - 1)) != STATES - 1 && i >= 0; i--) {
    const at = table + <usize>load<u16>(symbols + ((<usize>i) << 1)) * SYMBOL_BYTES;
    const lane = i & (STATES - 1);
    if (lane == 0) x0 = step(x0, at);
    else if (lane == 1) x1 = step(x1, at);
    else x2 = step(x2, at);
  }
  for (; i >= 0; i -= STATES) {
    const four = symbols + ((<usize>i) << 1) - 6;
    x3 = step(x3, table + <usize>load<u16>(four, 6) * SYMBOL_BYTES);
    x2 = step(x2, table + <usize>load<u16>(four, 4) * SYMBOL_BYTES);
    x1 = step(x1, table + <usize>load<u16>(four, 2) * SYMBOL_BYTES);
    x0 = step(x0, table + <usize>load<u16>(four) * SYMBOL_BYTES);
  }
}

function step(state: u32, symbol: usize): u32 {
  store<u16>(words - 2, <u16>state);
  const isFull = <u32>(state >= load<u32>(symbol));
  words -= isFull << 1;
  const x = state >> (isFull << 4);
  const quotient = <u32>((<u64>x * load<u32>(symbol, 4)) >> 32) >> <u32>load<u16>(symbol, 12);
  return x + load<u32>(symbol, 8) + quotient * <u32>load<u16>(symbol, 14);
}

/** Write the states in front of the words. @returns where all of it begins; it ends where it was opened */
export function closeEncoder(): usize {
  words -= 16;
  store<u32>(words, x0);
  store<u32>(words, x1, 4);
  store<u32>(words, x2, 8);
  store<u32>(words, x3, 12);
  return words;
}

/** Make what the decoder needs of the frequencies of a class; tables are counted from 0 as contexts then are. */
export function prepareDecoder(kind: i32): void {
  let index = kind * CONTEXTS;
  for (let context = 0; context < CONTEXTS; context++) {
    if (((dividersOf(kind) >> context) & 1) == 0) continue;
    const table = tableAt(kind, context);
    const slots = SLOTS + ((<usize>index) << PROBABILITY_BITS);
    const spread = SPREAD + ((<usize>(index * TOKENS)) << 3);
    let first: u32 = 0;
    for (let token = 0; token < TOKENS; token++) {
      const frequency = load<u32>(table + ((<usize>token) << 2));
      const low = frequency | (first << FREQUENCY_BITS) | (rawBitsOf(token) << RAW_SHIFT);
      store<u64>(spread + ((<usize>token) << 3), ((<u64>baseOf(token)) << CODE_SHIFT) | low);
      memory.fill(slots + first, <u8>token, frequency);
      first += frequency;
    }
    index += 1;
  }
}

/** Begin to decode words at `at`, and raw bits at `raw`. */
export function openDecoder(at: usize, raw: usize): void {
  x0 = load<u32>(at);
  x1 = load<u32>(at, 4);
  x2 = load<u32>(at, 8);
  x3 = load<u32>(at, 12);
  words = at + 16;
  rawAt = raw;
  rawHeld = 0;
}

/**
 * Decode a run.
 *
 * @param contexts  u8 each, counting the tables of the class
 * @param out  codes
 * @param wordsEnd, rawEnd  16 and 32 readable bytes lie beyond each
 * @returns whether words and raw bits were there for all of it
 */
export function decodeRun(kind: i32, contexts: usize, count: i32, out: usize, wordsEnd: usize, rawEnd: usize): bool {
  const slots = SLOTS + ((<usize>(kind * CONTEXTS)) << PROBABILITY_BITS);
  const spread = SPREAD + ((<usize>(kind * CONTEXTS * TOKENS)) << 3);
  let a = x0;
  let b = x1;
  let c = x2;
  let d = x3;
  let w = words;
  let r = rawAt;
  let held = rawHeld;
  let isWhole = true;
  for (let i = 0; i < count; i++) {
    const context = <usize>load<u8>(contexts + i);
    const slot = a & (TOTAL - 1);
    const token = <usize>load<u8>(slots + (context << PROBABILITY_BITS) + slot);
    const found = load<u64>(spread + (context << 10) + (token << 3));
    const low = <u32>found;
    const first = (low >> FREQUENCY_BITS) & (TOTAL - 1);
    let x = (low & ((1 << FREQUENCY_BITS) - 1)) * (a >> PROBABILITY_BITS) + slot - first;
    const isLow = <u32>(x < LEAST);
    x = select<u32>((x << 16) | <u32>load<u16>(w), x, isLow != 0);
    w += isLow << 1;
    a = b;
    b = c;
    c = d;
    d = x;
    const bits = (low >> RAW_SHIFT) & 31;
    const raw = <u32>(load<u64>(r) >> <u64>held) & ((1 << bits) - 1);
    held += bits;
    r += held >> 3;
    held &= 7;
    if (w > wordsEnd || r > rawEnd) {
      isWhole = false;
      break;
    }
    store<u32>(out + ((<usize>i) << 2), <u32>(found >> CODE_SHIFT) | raw);
  }
  for (let turned = count & (STATES - 1); turned > 0 && turned < STATES; turned++) {
    const x = a;
    a = b;
    b = c;
    c = d;
    d = x;
  }
  x0 = a;
  x1 = b;
  x2 = c;
  x3 = d;
  words = w;
  rawAt = r;
  rawHeld = held;
  return isWhole;
}

/** Whether the decoder came back to the states in which the encoder began, at the end of words and raw bits. */
export function isDecoderDone(wordsEnd: usize, rawEnd: usize): bool {
  const isStart = x0 == LEAST && x1 == LEAST && x2 == LEAST && x3 == LEAST;
  return isStart && words == wordsEnd && rawAt + <usize>(rawHeld > 0) == rawEnd;
}
