import type { CodedRows } from "./coded-rows.ts";
import type { IndexWriter, SectionWriter } from "./index-writer.ts";
import { orderLists } from "./list-order.ts";
import type { IndexModel } from "./model.ts";
import { packRerank, rerankBytes } from "./rerank-row.ts";
import { sealRow } from "./rerank-rows.ts";
import { newCodedRows, type ResidualCoder } from "./residual-coder.ts";
import type { RerankKind } from "./search-segment.ts";
import { CRC_BYTES, HALF_BYTES } from "./section-table.ts";
import { eachBlock } from "./training-sample.ts";
import type { VectorSource } from "./vector-source.ts";

/** Rows that become a segment. */
export interface SegmentPlan {
  /** 1 …. */
  readonly segment: number;
  /** Read front to back; for `cosine` its rows are of length 1. */
  readonly source: VectorSource;
  /** Shape (n): the anchor of each row. */
  readonly lists: Uint32Array;
  /** Id of row 0: the others count up from there. */
  readonly firstId: number;
  readonly model: IndexModel;
  readonly coder: ResidualCoder;
  readonly rerank: RerankKind | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Of codes, and of finer rows, that are held at a time; unless given, WINDOW_BYTES. */
  readonly windowBytes?: number | undefined;
}

/**
 * Rows come in the order of the source and are written in that of the lists. So much of what lies between is held in
 * memory, and the source is read once for every so much.
 */
const WINDOW_BYTES = 1 << 28;

/** Rows [from, to) in the order of the lists. */
interface Window extends CodedRows {
  readonly from: number;
  readonly to: number;
  /** With their checksums; empty without finer rows. */
  readonly finer: Buffer;
}

/**
 * Encode rows and write them as a segment. Memory is O(n) for lists, places and errors, and a window.
 *
 * @throws {VectorIndexError} what reading throws; and whatever aborts the signal
 */
export async function encodeSegment(writer: IndexWriter, plan: SegmentPlan): Promise<void> {
  const { segment, source, firstId, model, coder, rerank, signal, progress } = plan;
  const { n } = source;
  const { offsets, positions } = orderLists(plan.lists, model.m);
  await writer.put("OFFS", segment, offsets);
  const ids = new Uint32Array(n);
  for (const [row, position] of positions.entries()) ids[position] = firstId + row;
  await writer.put("IDS ", segment, ids);
  const finerBytes = rerank === undefined ? 0 : rerankBytes(rerank, model.d) + CRC_BYTES;
  const codes = writer.section("CODE", segment, n * coder.codeBytes);
  const scales = writer.section("SCAL", segment, n * HALF_BYTES);
  const terms = writer.section("TERM", segment, n * HALF_BYTES);
  const finer = rerank === undefined ? undefined : writer.section("RERK", segment, n * finerBytes);
  const windowRows = Math.floor((plan.windowBytes ?? WINDOW_BYTES) / (coder.codeBytes + 2 * HALF_BYTES + finerBytes));
  // Of every row, so that their sum does not depend on the windows.
  const errors = new Float32Array(n);
  let spread = 0;
  for (let from = 0, to = 0; from < n; from = to) {
    to = Math.min(n, from + Math.max(1, windowRows));
    const rows = newCodedRows(to - from, coder.codeBytes);
    const window = { from, to, ...rows, finer: Buffer.alloc((to - from) * finerBytes) };
    await eachBlock(source, (block, first, count) => {
      signal?.throwIfAborted();
      fillWindow(plan, positions, window, block, first, errors);
      if (from === 0) spread += spreadOf(block, model.mean);
      progress?.(from + Math.floor(((to - from) * (first + count)) / n), n);
    });
    await writeAll([codes, window.codes], [scales, window.scales], [terms, window.terms], [finer, window.finer]);
  }
  const squared = errors.reduce((sum, error) => sum + error, 0);
  const worst = errors.reduce((most, error) => Math.max(most, error), 0);
  await writer.put("ERRS", segment, Float64Array.of(squared, spread, worst, n));
}

/** Encode those rows of a block that belong to the window, and put them in their places. */
function fillWindow(
  { lists, model, coder, rerank }: SegmentPlan,
  positions: Uint32Array,
  window: Window,
  rows: Float32Array,
  first: number,
  errors: Float32Array,
): void {
  const { d } = model;
  const count = rows.length / d;
  const wanted = numbersFrom(first, count).filter((row) => {
    const position = positions[row] ?? 0;
    return position >= window.from && position < window.to;
  });
  const vectors = wanted.length === count ? rows : new Float32Array(wanted.length * d);
  for (const [i, row] of wanted.entries()) {
    if (vectors !== rows) vectors.set(rows.subarray((row - first) * d, (row - first + 1) * d), i * d);
  }
  const coded = newCodedRows(wanted.length, coder.codeBytes);
  const found = new Float32Array(wanted.length);
  const own = wanted.map((row) => lists[row] ?? 0);
  coder.encode(vectors, own, coded, found);
  const finerBytes = window.finer.length / (window.to - window.from);
  for (const [i, row] of wanted.entries()) {
    const at = (positions[row] ?? 0) - window.from;
    window.codes.set(coded.codes.subarray(i * coder.codeBytes, (i + 1) * coder.codeBytes), at * coder.codeBytes);
    window.scales[at] = coded.scales[i] ?? 0;
    window.terms[at] = coded.terms[i] ?? 0;
    errors[row] = found[i] ?? 0;
    if (rerank === undefined) continue;
    const finer = window.finer.subarray(at * finerBytes, (at + 1) * finerBytes);
    packRerank(rerank, vectors.subarray(i * d, (i + 1) * d), finer.subarray(0, -CRC_BYTES));
    sealRow(finer);
  }
}

function numbersFrom(first: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => first + i);
}

async function writeAll(...parts: readonly (readonly [SectionWriter | undefined, ArrayBufferView])[]): Promise<void> {
  for (const [section, { buffer, byteOffset, byteLength }] of parts) {
    await section?.write(new Uint8Array(buffer, byteOffset, byteLength));
  }
}

/** Squared distances from the mean vector, together. */
function spreadOf(rows: Float32Array, mean: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < rows.length; at += mean.length) {
    for (let j = 0; j < mean.length; j++) {
      const difference = (rows[at + j] ?? 0) - (mean[j] ?? 0);
      sum += difference * difference;
    }
  }
  return sum;
}
