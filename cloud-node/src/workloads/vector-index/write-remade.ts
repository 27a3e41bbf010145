import type { BuildProgress } from "./build-progress.ts";
import type { CodedRows } from "./coded-rows.ts";
import { codingErrors } from "./coding-errors.ts";
import { finerBytesOf } from "./encode-window.ts";
import type { IndexFile } from "./index-file.ts";
import type { IndexWriter } from "./index-writer.ts";
import { orderLists } from "./list-order.ts";
import { encodeModel } from "./model-sections.ts";
import type { RemadeLists } from "./remake-lists.ts";
import { sealRow } from "./rerank-rows.ts";
import { newCodedRows, ResidualCoder } from "./residual-coder.ts";
import type { SearchSegment } from "./search-segment.ts";
import { HALF_BYTES, ID_BYTES, MODEL_TAGS } from "./section-table.ts";
import type { ErrorSums } from "./segment-rows.ts";
import { readStored } from "./stored-rows.ts";

/** Rows that are written, or coded, at a time. */
const BLOCK_ROWS = 16_384;

export interface RemadePlan {
  readonly file: IndexFile;
  readonly segment: SearchSegment;
  /** Of the model before. */
  readonly coder: ResidualCoder;
  readonly remade: RemadeLists;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((progress: BuildProgress) => void) | undefined;
}

/** Code again what was moved. */
interface Recoded extends CodedRows {
  /** Shape (n): which row of these a position has; -1: its code stays. */
  readonly at: Int32Array;
  readonly squared: number;
  readonly worst: number;
}

/** Write an index of one segment, of the rows of another and the lists that were made of them. @returns its bytes */
export async function writeRemade(writer: IndexWriter, plan: RemadePlan): Promise<number> {
  const { file, segment, remade, signal, progress } = plan;
  const { model, lists } = remade;
  const sections = encodeModel(model);
  for (const tag of MODEL_TAGS) await writer.put(tag, 0, sections[tag]);
  const recoded = recode(plan);
  const { offsets, order } = orderRows(lists, model.m, segment.ids);
  const n = order.length;
  await writer.put("OFFS", 1, offsets);
  const { codeBytes, rerank, nextId, d, metric } = file.facts;
  const ids = writer.section("IDS ", 1, n * ID_BYTES);
  const codes = writer.section("CODE", 1, n * codeBytes);
  const scales = writer.section("SCAL", 1, n * HALF_BYTES);
  const terms = writer.section("TERM", 1, n * HALF_BYTES);
  const finerBytes = finerBytesOf(rerank, d);
  const finer = rerank === undefined ? undefined : writer.section("RERK", 1, n * finerBytes);
  for (let from = 0; from < n; from += BLOCK_ROWS) {
    signal?.throwIfAborted();
    const block = order.subarray(from, from + BLOCK_ROWS);
    const rows = pickRows(segment, recoded, block, codeBytes);
    await ids.write(Uint32Array.from(block, (position) => segment.ids[position] ?? 0));
    await codes.write(rows.codes);
    await scales.write(rows.scales);
    await terms.write(rows.terms);
    await finer?.write(pickFiner(segment, block, finerBytes));
    progress?.({ stage: "encode", done: from + block.length, total: n });
  }
  await writer.put("ERRS", 1, errorsAfter(await file.allErrors(), recoded));
  return await writer.finish({ rows: n, deleted: 0, nextId, d, m: model.m, metric, codeBytes, rerank });
}

function recode({ segment, coder, remade, signal }: RemadePlan): Recoded {
  const { model, before, lists, moved } = remade;
  const own = new ResidualCoder(model);
  const coded = newCodedRows(moved.length, own.codeBytes);
  const at = new Int32Array(before.length).fill(-1);
  let [squared, worst] = [0, 0];
  for (let from = 0; from < moved.length; from += BLOCK_ROWS) {
    signal?.throwIfAborted();
    const positions = moved.subarray(from, from + BLOCK_ROWS);
    const to = from + positions.length;
    const { rows, errors: further } = readStored(segment, coder, before, positions);
    const part = {
      codes: coded.codes.subarray(from * own.codeBytes, to * own.codeBytes),
      ...{ scales: coded.scales.subarray(from, to), terms: coded.terms.subarray(from, to) },
    };
    const after = Uint32Array.from(positions, (position) => lists[position] ?? 0);
    own.encode(rows, after, part);
    const errors = codingErrors(own, part, after, rows);
    for (const [i, position] of positions.entries()) {
      at[position] = from + i;
      const error = Math.sqrt(errors[i] ?? 0) + (further[i] ?? 0);
      squared += error * error;
      worst = Math.max(worst, error);
    }
  }
  return { ...coded, at, squared, worst };
}

/** Which position of the segment comes where: by list, and in a list by id. */
function orderRows(lists: Uint32Array, m: number, ids: Uint32Array): { offsets: Uint32Array; order: Uint32Array } {
  const { offsets, positions } = orderLists(lists, m);
  const order = new Uint32Array(lists.length);
  for (const [position, at] of positions.entries()) order[at] = position;
  for (let list = 0; list < m; list++) {
    order.subarray(offsets[list], offsets[list + 1]).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
  }
  return { offsets, order };
}

function pickRows(segment: SearchSegment, recoded: Recoded, block: Uint32Array, codeBytes: number): CodedRows {
  const out = newCodedRows(block.length, codeBytes);
  for (const [i, position] of block.entries()) {
    const row = recoded.at[position] ?? -1;
    const [source, at]: [CodedRows, number] = row === -1 ? [segment, position] : [recoded, row];
    out.codes.set(source.codes.subarray(at * codeBytes, (at + 1) * codeBytes), i * codeBytes);
    out.scales[i] = source.scales[at] ?? 0;
    out.terms[i] = source.terms[at] ?? 0;
  }
  return out;
}

function pickFiner({ rerank }: SearchSegment, block: Uint32Array, finerBytes: number): Buffer {
  const out = Buffer.alloc(block.length * finerBytes);
  for (const [i, position] of block.entries()) {
    const row = out.subarray(i * finerBytes, (i + 1) * finerBytes);
    if (rerank !== undefined) row.set(rerank.read(position));
    sealRow(row);
  }
  return out;
}

/** An upper bound by Minkowski's inequality: what a decoded row was off by, and what its new code is off by from that. */
function errorsAfter(sums: ErrorSums, { squared, worst }: Recoded): Float64Array {
  const together = (Math.sqrt(sums.squared) + Math.sqrt(squared)) ** 2;
  return Float64Array.of(together, sums.spread, (Math.sqrt(sums.worst) + worst) ** 2, sums.rows);
}
