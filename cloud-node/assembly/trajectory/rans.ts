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
  let i = 0;
  // What four codes take lies within what is readable beyond the ends: one look at those serves all four.
  for (; i + STATES <= count && w <= wordsEnd && r <= rawEnd; i += STATES) {
    const four = contexts + i;
    const codes = out + ((<usize>i) << 2);
    const fa = findToken(slots, spread, load<u8>(four), a);
    const fb = findToken(slots, spread, load<u8>(four, 1), b);
    const fc = findToken(slots, spread, load<u8>(four, 2), c);
    const fd = findToken(slots, spread, load<u8>(four, 3), d);
    a = advance(fa, a);
    b = advance(fb, b);
    c = advance(fc, c);
    d = advance(fd, d);
    const la = <u32>(a < LEAST);
    a = select<u32>((a << 16) | <u32>load<u16>(w), a, la != 0);
    w += la << 1;
    const lb = <u32>(b < LEAST);
    b = select<u32>((b << 16) | <u32>load<u16>(w), b, lb != 0);
    w += lb << 1;
    const lc = <u32>(c < LEAST);
    c = select<u32>((c << 16) | <u32>load<u16>(w), c, lc != 0);
    w += lc << 1;
    const ld = <u32>(d < LEAST);
    d = select<u32>((d << 16) | <u32>load<u16>(w), d, ld != 0);
    w += ld << 1;
    store<u32>(codes, codeOf(fa, load<u64>(r) >> <u64>held));
    held += rawBitsIn(fa);
    r += held >> 3;
    held &= 7;
    store<u32>(codes, codeOf(fb, load<u64>(r) >> <u64>held), 4);
    held += rawBitsIn(fb);
    r += held >> 3;
    held &= 7;
    store<u32>(codes, codeOf(fc, load<u64>(r) >> <u64>held), 8);
    held += rawBitsIn(fc);
    r += held >> 3;
    held &= 7;
    store<u32>(codes, codeOf(fd, load<u64>(r) >> <u64>held), 12);
    held += rawBitsIn(fd);
    r += held >> 3;
    held &= 7;
  }
  for (; i < count && w <= wordsEnd && r <= rawEnd; i++) {
    const lane = i & (STATES - 1);
    const state = lane == 0 ? a : lane == 1 ? b : c;
    const found = findToken(slots, spread, load<u8>(contexts + i), state);
    let x = advance(found, state);
    const isLow = <u32>(x < LEAST);
    x = select<u32>((x << 16) | <u32>load<u16>(w), x, isLow != 0);
    w += isLow << 1;
    if (lane == 0) a = x;
    else if (lane == 1) b = x;
    else c = x;
    store<u32>(out + ((<usize>i) << 2), codeOf(found, load<u64>(r) >> <u64>held));
    held += rawBitsIn(found);
    r += held >> 3;
    held &= 7;
  }
  x0 = a;
  x1 = b;
  x2 = c;
  x3 = d;
  words = w;
  rawAt = r;
  rawHeld = held;
  return i == count && w <= wordsEnd && r <= rawEnd;
}

/** What a decoder needs of the token that a state holds. */
function findToken(slots: usize, spread: usize, context: u8, state: u32): u64 {
  const token = <usize>load<u8>(slots + ((<usize>context) << PROBABILITY_BITS) + (state & (TOTAL - 1)));
  return load<u64>(spread + ((<usize>context) << 10) + (token << 3));
}

/** The state without its token, before words are put to it. */
function advance(found: u64, state: u32): u32 {
  const low = <u32>found;
  const first = (low >> FREQUENCY_BITS) & (TOTAL - 1);
  return (low & ((1 << FREQUENCY_BITS) - 1)) * (state >> PROBABILITY_BITS) + (state & (TOTAL - 1)) - first;
}

function rawBitsIn(found: u64): u32 {
  return (<u32>found >> RAW_SHIFT) & 31;
}

/** @param raw  its raw bits, and whatever follows */
function codeOf(found: u64, raw: u64): u32 {
  return <u32>(found >> CODE_SHIFT) | (<u32>raw & ((1 << rawBitsIn(found)) - 1));
}

/** Whether the decoder came back to the states in which the encoder began, at the end of words and raw bits. */
export function isDecoderDone(wordsEnd: usize, rawEnd: usize): bool {
  const isStart = x0 == LEAST && x1 == LEAST && x2 == LEAST && x3 == LEAST;
  return isStart && words == wordsEnd && rawAt + <usize>(rawHeld > 0) == rawEnd;
}
