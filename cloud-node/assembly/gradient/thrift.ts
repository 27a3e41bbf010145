import { LEVELS, levelChance } from "./activity";

/**
 * Which coordinates are worth their bits: one that is unlikely costs more, so that its value has to be larger.
 *
 *     sent where |u| / D ≥ 1 + thrift · (bits / USUAL_BITS − 1)            bits = log2((1 − p) / p) + a sign's
 *
 * Sending u as m saves u² − (u − m)² of distortion for its bits. Where that is as much for each bit everywhere, the bits that
 * there are save the most; the bound on u is then a straight line over bits, and 0.44 its slope for m a little above D.
 *
 * @see G. J. Sullivan and T. Wiegand, "Rate-distortion optimization for video compression", IEEE Signal Processing Magazine,
 *   1998
 */
const USUAL_BITS: f64 = 6.5;
const SIGN_BITS: f64 = 0.65;
/** Candidates are |u| in so many parts of D. */
export const PARTS: i32 = 256;
/** What is smaller is no candidate, however cheap. */
export const LEAST_PARTS: i32 = 128;

const BOUNDS: usize = memory.data(24 * 4, 16);
let limit: i32 = 1;
/** Whether candidates are to be chosen from; else codes are codes. */
export let isThrifty: bool = false;
/** Σ |u| / D over the codes at the limit, and how many they are. */
export let chosenSum: f64 = 0;
export let chosenCount: i32 = 0;

/** Begin a message. @param thrift  0 … 1; 0: codes are taken as they are @param largest  size of a code */
export function openThrift(thrift: f64, largest: i32): void {
  isThrifty = thrift > 0;
  limit = largest;
  chosenSum = 0;
  chosenCount = 0;
  for (let level = 0; level < LEVELS; level++) {
    const chance = levelChance(level);
    const bits = Math.log2((1 - chance) / chance) + SIGN_BITS;
    const bound = <i32>(<f64>PARTS * (1 + thrift * (bits / USUAL_BITS - 1)));
    store<i32>(BOUNDS + (<usize>level << 2), max(bound, LEAST_PARTS));
  }
}

/**
 * Make codes of a block's candidates.
 *
 * @param codes  i16: u in parts of D; overwritten
 * @param levels  u8 each
 */
export function chooseCodes(codes: usize, levels: usize, count: i32): void {
  for (let lane = 0; lane < count; lane++) {
    const at = codes + (<usize>lane << 1);
    const candidate = <i32>load<i16>(at);
    if (candidate == 0) continue;
    const size = abs(candidate);
    let code = 0;
    if (size >= load<i32>(BOUNDS + (<usize>load<u8>(levels + lane) << 2))) {
      code = min(max(size / PARTS, 1), limit);
      if (code == limit) {
        chosenSum += <f64>size / <f64>PARTS;
        chosenCount += 1;
      }
    }
    store<i16>(at, <i16>(candidate < 0 ? -code : code));
  }
}
