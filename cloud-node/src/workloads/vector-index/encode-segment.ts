import { InvariantError } from "../../invariant-error.ts";
import type { BuildProgress } from "./build-progress.ts";
import type { ShardEncoder, ShardWindow } from "./build-shards.ts";
import { type EncodePlan, encodeWindow, windowsOf } from "./encode-window.ts";
import type { IndexWriter } from "./index-writer.ts";
import { orderLists } from "./list-order.ts";
import { writeSegment } from "./write-segment.ts";

export interface SegmentPlace {
  /** 1 …. */
  readonly segment: number;
  readonly firstId: number;
  readonly windowBytes?: number | undefined;
  /** Other workers that encode, too. */
  readonly shards?: ShardEncoder | undefined;
}

/** Encode rows and write them as a segment. Memory is O(n) for lists and places, and a window. */
export async function encodeSegment(
  writer: IndexWriter,
  rows: Omit<EncodePlan, "positions">,
  { segment, firstId, windowBytes, shards }: SegmentPlace,
  progress?: (progress: BuildProgress) => void,
): Promise<void> {
  const { model, coder, rerank, lists } = rows;
  const { n } = rows.source;
  const order = orderLists(lists, model.m);
  const plan = { ...rows, positions: order.positions };
  const windows: readonly ShardWindow[] =
    shards === undefined
      ? windowsOf({ from: 0, to: n }, plan, windowBytes).map((window) => ({ ...window, place: 0 }))
      : await shards.share(plan, order, windowBytes);
  const shape = { segment, firstId, d: model.d, codeBytes: coder.codeBytes, rerank };
  await writeSegment(writer, { ...shape, ...order }, windows, async (window) => {
    // The source is read anew for every window.
    const tell = (share: number) => {
      const done = window.from + Math.floor((window.to - window.from) * share);
      progress?.({ stage: "encode", done, total: n });
    };
    if (window.place === 0) return await encodeWindow(plan, window, (read) => tell(read / n));
    const fetched = await shards?.fetch(window);
    if (fetched === undefined) throw new InvariantError("a window is of another worker, and there is none");
    tell(1);
    return fetched;
  });
}
