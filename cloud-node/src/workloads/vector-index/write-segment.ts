import { type EncodedWindow, finerBytesOf, type WindowRange } from "./encode-window.ts";
import type { IndexWriter } from "./index-writer.ts";
import type { ListOrder } from "./list-order.ts";
import type { RerankKind } from "./search-segment.ts";
import { HALF_BYTES } from "./section-table.ts";

/** A segment that is to be written. */
export interface SegmentPlan extends ListOrder {
  /** 1 …. */
  readonly segment: number;
  /** Id of row 0: the others count up from there. */
  readonly firstId: number;
  readonly d: number;
  readonly codeBytes: number;
  readonly rerank: RerankKind | undefined;
}

/**
 * Write a segment window by window.
 *
 * @param windows  of all positions, one after the other
 * @param encode  asked for each in turn
 */
export async function writeSegment<Range extends WindowRange>(
  writer: IndexWriter,
  { segment, offsets, positions, firstId, d, codeBytes, rerank }: SegmentPlan,
  windows: readonly Range[],
  encode: (window: Range) => Promise<EncodedWindow>,
): Promise<void> {
  const n = positions.length;
  await writer.put("OFFS", segment, offsets);
  const ids = new Uint32Array(n);
  for (const [row, position] of positions.entries()) ids[position] = firstId + row;
  await writer.put("IDS ", segment, ids);
  const codes = writer.section("CODE", segment, n * codeBytes);
  const scales = writer.section("SCAL", segment, n * HALF_BYTES);
  const terms = writer.section("TERM", segment, n * HALF_BYTES);
  const finer = rerank === undefined ? undefined : writer.section("RERK", segment, n * finerBytesOf(rerank, d));
  let [squared, spread, worst] = [0, 0, 0];
  for (const range of windows) {
    const window = await encode(range);
    await codes.write(window.codes);
    await scales.write(window.scales);
    await terms.write(window.terms);
    await finer?.write(window.finer);
    // By position, so that the sums are the same however the windows are cut.
    for (const [i, error] of window.errors.entries()) {
      squared += error;
      spread += window.spreads[i] ?? 0;
      worst = Math.max(worst, error);
    }
  }
  await writer.put("ERRS", segment, Float64Array.of(squared, spread, worst, n));
}
