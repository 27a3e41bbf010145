/**
 * Rows as a search compares them, one record each:
 *
 *   0     levels  16 (P + T) bytes, i8: of the row's code, decoded once when the index is loaded
 *   …     scale   f32: a
 *   + 4   term    f32: l2: a^2 |u|^2 + 2 a <c, u>, |u| in the d dimensions of rows; ip: 0
 *   + 8   id      u32
 *   + 12  zero
 */
import { fromHalf, LARGEST_HALF } from "./half-floats";
import { codedBlocks, plainBlocks } from "./model-shape";
import { decodeLevels } from "./row-code";

/** Dimensions that have levels: the first ones. */
export function levelCount(): i32 {
  return (plainBlocks + codedBlocks) << 4;
}

export function recordBytes(): i32 {
  return levelCount() + 16;
}

/**
 * Make the records of rows. A term that was too large for its half is Infinity until `packCoarse` has seen the record.
 *
 * @param codes     (count, codeBytes), 7 readable bytes behind them
 * @param scales    (count) u16, halves
 * @param terms     (count) u16, halves of `termUnit`, which is 0 for ip
 * @param ids       (count) u32
 * @param records   (count) records, overwritten
 */
export function packRecords(
  count: i32,
  codes: usize,
  codeBytes: i32,
  scales: usize,
  terms: usize,
  termUnit: f32,
  ids: usize,
  records: usize,
): void {
  const side = levelCount();
  for (let i = 0; i < count; i++) {
    decodeLevels(codes, records);
    store<f32>(records + side, fromHalf(load<u16>(scales + (i << 1))));
    const term = fromHalf(load<u16>(terms + (i << 1)));
    // At the end of their range halves say no more than that: the row's code says how much it is.
    const isCut = termUnit > 0 && term == LARGEST_HALF;
    store<f32>(records + side, isCut ? f32.POSITIVE_INFINITY : term * termUnit, 4);
    store<u32>(records + side, load<u32>(ids + (i << 2)), 8);
    codes += codeBytes;
    records += recordBytes();
  }
}
