import { LAST_SEQ } from "@lockstep/protocol";
import type { StoredStretch, StoreReader } from "../store/store.ts";
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
  yield* coverSeqs(request, top, { from: expired + 1, through: LAST_SEQ, before: undefined, after: undefined });
}

interface Hole {
  readonly from: number;
  readonly through: number;
  readonly before: StoredStretch | undefined;
  readonly after: StoredStretch | undefined;
}

function* coverSeqs(request: CoverRequest, tier: number, hole: Hole): Generator<EpochPart> {
  const { reader, device, epoch, range, expired } = request;
  let { from, before } = hole;
  for (const stretch of reader.stretches(device, epoch, tier, from, hole.through)) {
    // One that was summed up before the older part of it expired.
    if (stretch.from <= expired || stretch.through > hole.through || stretch.from < from) continue;
    if (stretch.from > from) yield* below(request, tier, { from, through: stretch.from - 1, before, after: stretch });
    const isInside = stretch.fromUs < range.toUs && stretch.toUs > range.fromUs;
    if (isInside && (tier === 0 || request.suffices(stretch))) yield { kind: "stretch", stretch };
    else if (isInside)
      yield* below(request, tier, { from: stretch.from, through: stretch.through, before, after: undefined });
    before = stretch;
    from = stretch.through + 1;
  }
  if (from <= hole.through) yield* below(request, tier, { from, through: hole.through, before, after: hole.after });
}

function* below(request: CoverRequest, tier: number, hole: Hole): Generator<EpochPart> {
  if (tier === 0) yield { kind: "frames", ...hole };
  else yield* coverSeqs(request, tier - 1, hole);
}
