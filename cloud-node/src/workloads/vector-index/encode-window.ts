import type { CodedRows } from "./coded-rows.ts";
import { codingErrors, squaredDistance } from "./coding-errors.ts";
import type { IndexModel } from "./model.ts";
import { packRerank, rerankBytes } from "./rerank-row.ts";
import { sealRow } from "./rerank-rows.ts";
import { newCodedRows, type ResidualCoder } from "./residual-coder.ts";
import type { RerankKind } from "./search-segment.ts";
import { CRC_BYTES, HALF_BYTES } from "./section-table.ts";
import { eachBlock } from "./training-sample.ts";
import type { VectorSource } from "./vector-source.ts";

/** Rows that are encoded, and what by. */
export interface EncodePlan {
  /** Read front to back; for `cosine` its rows are of length 1. */
  readonly source: VectorSource;
  /** Shape (n): the anchor of each row. */
  readonly lists: Uint32Array;
  /** Shape (n): where each row goes, list by list. */
  readonly positions: Uint32Array;
  readonly model: IndexModel;
  readonly coder: ResidualCoder;
  readonly rerank: RerankKind | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Positions [from, to). */
export interface WindowRange {
  readonly from: number;
  readonly to: number;
}

/** Encoded rows, in the order of their positions. */
export interface EncodedWindow extends CodedRows {
  /** Finer rows with their checksums; empty where there are none. */
  readonly finer: Uint8Array;
  /** Shape (k): squared distance of each row from what its code says, and from the mean vector. */
  readonly errors: Float32Array;
  readonly spreads: Float32Array;
}

/**
 * Rows come in the order of the source and are written in that of the lists. So much of what lies between is held in
 * memory, and the source is read once for every so much.
 */
const WINDOW_BYTES = 1 << 28;

/** Cut positions into windows. @param windowBytes  unless given, WINDOW_BYTES */
export function windowsOf(
  { from, to }: WindowRange,
  { coder, rerank, model }: Pick<EncodePlan, "coder" | "rerank" | "model">,
  windowBytes = WINDOW_BYTES,
): WindowRange[] {
  const rows = Math.max(
    1,
    Math.floor(windowBytes / (coder.codeBytes + 2 * HALF_BYTES + finerBytesOf(rerank, model.d))),
  );
  const windows: WindowRange[] = [];
  for (let at = from; at < to; at += rows) windows.push({ from: at, to: Math.min(to, at + rows) });
  return windows;
}

/** Bytes of a finer row with its checksum; 0 where there are none. */
export function finerBytesOf(rerank: RerankKind | undefined, d: number): number {
  return rerank === undefined ? 0 : rerankBytes(rerank, d) + CRC_BYTES;
}

/**
 * Encode the rows of a window: all of the source is read for them.
 *
 * @param each  told how many rows of the source were read
 * @throws {VectorIndexError} what reading throws; and whatever aborts the signal
 */
export async function encodeWindow(
  plan: EncodePlan,
  range: WindowRange,
  each: (rows: number) => void = () => {},
): Promise<EncodedWindow> {
  const { source, model, coder, rerank, signal } = plan;
  const k = range.to - range.from;
  const window = {
    ...newCodedRows(k, coder.codeBytes),
    finer: Buffer.alloc(k * finerBytesOf(rerank, model.d)),
    ...{ errors: new Float32Array(k), spreads: new Float32Array(k) },
  };
  await eachBlock(source, (block, first, count) => {
    signal?.throwIfAborted();
    fill(plan, range, window, block, first);
    each(first + count);
  });
  return window;
}

/** Encode those rows of a block that belong to the window, and put them in their places. */
function fill(
  { lists, positions, model, coder, rerank }: EncodePlan,
  { from, to }: WindowRange,
  window: EncodedWindow,
  block: Float32Array,
  first: number,
): void {
  const { d, mean } = model;
  const count = block.length / d;
  const rows = Uint32Array.from({ length: count }, (_, i) => first + i).filter((row) => {
    const position = positions[row] ?? 0;
    return position >= from && position < to;
  });
  const vectors = rows.length === count ? block : new Float32Array(rows.length * d);
  for (const [i, row] of rows.entries()) {
    if (vectors !== block) vectors.set(block.subarray((row - first) * d, (row - first + 1) * d), i * d);
  }
  const coded = newCodedRows(rows.length, coder.codeBytes);
  const own = rows.map((row) => lists[row] ?? 0);
  coder.encode(vectors, own, coded);
  const errors = codingErrors(coder, coded, own, vectors);
  const finerBytes = finerBytesOf(rerank, d);
  for (const [i, row] of rows.entries()) {
    const at = (positions[row] ?? 0) - from;
    const vector = vectors.subarray(i * d, (i + 1) * d);
    window.codes.set(coded.codes.subarray(i * coder.codeBytes, (i + 1) * coder.codeBytes), at * coder.codeBytes);
    window.scales[at] = coded.scales[i] ?? 0;
    window.terms[at] = coded.terms[i] ?? 0;
    window.errors[at] = errors[i] ?? 0;
    window.spreads[at] = squaredDistance(vector, 0, mean, 0, d);
    if (rerank === undefined) continue;
    const finer = window.finer.subarray(at * finerBytes, (at + 1) * finerBytes);
    packRerank(rerank, vector, finer.subarray(0, -CRC_BYTES));
    sealRow(finer);
  }
}
