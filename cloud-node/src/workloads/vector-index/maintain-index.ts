import type { BuildProgress } from "./build-progress.ts";
import { whileChanging } from "./change-lock.ts";
import { IndexFile } from "./index-file.ts";
import { IndexWriter } from "./index-writer.ts";
import { type ListSizes, type MaintenanceLimits, planMaintenance } from "./maintenance-plan.ts";
import { remakeLists } from "./remake-lists.ts";
import { ResidualCoder } from "./residual-coder.ts";
import { writeRemade } from "./write-remade.ts";

export interface MaintainOptions extends Partial<MaintenanceLimits> {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((progress: BuildProgress) => void) | undefined;
}

export interface MaintainReport {
  /** Segments that became one. */
  readonly segments: number;
  /** Deleted rows that were taken out. */
  readonly removed: number;
  /** Anchors that went: without rows, or too near another one; and that came, where a list was split. */
  readonly emptied: number;
  readonly merged: number;
  readonly split: number;
  readonly m: number;
  /** Rows with a new anchor, and so a new code: made of what the index still had of them. */
  readonly recoded: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** So near, a row is coded as well from the one anchor as from the other. */
const MERGE_BELOW = 0.05;
/** A search visits whole lists: one of four times the mean costs it as much as four. */
const SPLIT_ABOVE = 4;

/**
 * Fold the segments of an index into one without deleted rows, drop anchors without rows, merge those that are too near
 * each other, split lists that became too long. Only rows whose anchor changes are coded again: from their finer rows where
 * the index has them, else from what their codes say.
 *
 * @throws {VectorIndexError} as `IndexFile.open`; `busy`; `changed` when somebody else changed it meanwhile
 */
export async function maintainIndex(path: string, options: MaintainOptions = {}): Promise<MaintainReport> {
  return await whileChanging(path, () => maintain(path, options));
}

async function maintain(path: string, options: MaintainOptions): Promise<MaintainReport> {
  const file = await IndexFile.open(path);
  try {
    const { deleted, segments, m, fileBytes: bytesBefore } = file.facts;
    const segment = await file.segment();
    const coder = new ResidualCoder(segment.model);
    const limits = { mergeBelow: options.mergeBelow ?? MERGE_BELOW, splitAbove: options.splitAbove ?? SPLIT_ABOVE };
    const plan = planMaintenance(segment.model, await sizesOf(file), limits);
    const remade = remakeLists(segment, coder, plan, options.signal);
    const emptied = plan.into.filter((list) => list === -1).length;
    const merged = plan.into.filter((list, own) => list !== own).length - emptied;
    const split = remade.model.m - (m - emptied - merged);
    const isSame = segments.length === 1 && deleted === 0 && emptied + merged + split === 0;
    const report = { segments: segments.length, removed: deleted, emptied, merged, split, m: remade.model.m };
    if (isSame) return { ...report, recoded: 0, bytesBefore, bytesAfter: bytesBefore };
    const writer = await IndexWriter.create(path, file.state);
    try {
      const bytesAfter = await writeRemade(writer, { file, segment, coder, remade, ...options });
      return { ...report, recoded: remade.moved.length, bytesBefore, bytesAfter };
    } catch (error) {
      await writer.discard();
      throw error;
    }
  } finally {
    await file.close();
  }
}

async function sizesOf(file: IndexFile): Promise<ListSizes> {
  const { listOffsets } = await file.lists(1);
  const built = listOffsets.slice(1).map((end, list) => end - (listOffsets[list] ?? 0));
  return { now: await file.listSizes(), built, isExact: file.facts.rerank !== undefined };
}
