import { LAST_SEQ } from "@lockstep/protocol";
import type { StoredSnapshot, StoredStretch, StoredTail, StoreReader } from "../store/store.ts";
import type { TimeRange } from "./time-range.ts";

/** A part of an epoch that a read looks at: a closed stretch, or frames that no stretch tells of. */
export type EpochPart =
  | { readonly kind: "stretch"; readonly stretch: StoredStretch }
  | {
      readonly kind: "frames";
      /** Seqs, both included. */
      readonly from: number;
      readonly through: number;
      /** The closed stretches right before and after, where there are any. */
      readonly before: StoredStretch | undefined;
      readonly after: StoredStretch | undefined;
      /** What the twin knew before the first of them, where the store says so. */
      readonly start: StoredSnapshot | undefined;
    };

export interface CoverRequest {
  readonly reader: StoreReader;
  readonly device: number;
  readonly epoch: number;
  readonly range: TimeRange;
  /** Seq up to which nothing is kept any more; −1 for none. */
  readonly expired: number;
  /** Whether a stretch's own level says all that is wanted of it; tier 0 is given in any case. */
  suffices(stretch: StoredStretch): boolean;
}

/**
 * Divide an epoch's kept frames into parts, in order of seq, with stretches as wide as suffice. Parts that lie outside the
 * range by their time are left out; frames without a stretch are always given, since nobody knows their time yet.
 */
export function* coverEpoch(request: CoverRequest): Generator<EpochPart> {
  const { reader, device, epoch, expired } = request;
  const top = reader.topTier(device, epoch) ?? 0;
  // Looked for first: one that is closed meanwhile is found among the stretches.
  const tail = reader.tail(device, epoch);
  yield* coverSeqs({ ...request, tail }, top, {
    from: expired + 1,
    through: LAST_SEQ,
    before: undefined,
    after: undefined,
  });
}

type Covering = CoverRequest & { readonly tail: StoredTail | undefined };

interface Hole {
  readonly from: number;
  readonly through: number;
  readonly before: StoredStretch | undefined;
  readonly after: StoredStretch | undefined;
}

function* coverSeqs(request: Covering, tier: number, hole: Hole): Generator<EpochPart> {
  const { reader, device, epoch, range, expired } = request;
  let { from, before } = hole;
  for (const stretch of reader.stretches(device, epoch, tier, from, hole.through)) {
    // One that was summed up before the older part of it expired.
    if (stretch.from <= expired || stretch.through > hole.through || stretch.from < from) continue;
    if (stretch.from > from) yield* below(request, tier, { from, through: stretch.from - 1, before, after: stretch });
    const isWanted = isInside(stretch, range);
    if (isWanted && (tier === 0 || request.suffices(stretch))) yield { kind: "stretch", stretch };
    else if (isWanted)
      yield* below(request, tier, { from: stretch.from, through: stretch.through, before, after: undefined });
    before = stretch;
    from = stretch.through + 1;
  }
  if (from <= hole.through) yield* below(request, tier, { from, through: hole.through, before, after: hole.after });
}

function* below(request: Covering, tier: number, hole: Hole): Generator<EpochPart> {
  const { tail, range } = request;
  if (tier > 0) {
    yield* coverSeqs(request, tier - 1, hole);
  } else if (tail === undefined || tail.from !== hole.from || tail.next > hole.through) {
    yield { kind: "frames", ...hole, start: undefined };
  } else {
    const stretch: StoredStretch = { ...tail, tier: 0, through: tail.next - 1 };
    if (isInside(stretch, range)) yield { kind: "stretch", stretch };
    const start = { seq: tail.next, state: tail.state };
    yield { kind: "frames", from: tail.next, through: hole.through, before: stretch, after: hole.after, start };
  }
}

function isInside(stretch: TimeRange, range: TimeRange): boolean {
  return stretch.fromUs < range.toUs && stretch.toUs > range.fromUs;
}
