import type { Level } from "../levels/level.ts";
import { packLevel, unpackLevel } from "../levels/level-codec.ts";
import { unlessDamaged } from "../store/damage.ts";
import type { StoredStretch, StoreReader } from "../store/store.ts";

/** A stretch of a tier is made of so many of the tier below, and its buckets are as many times as wide. */
const STRETCHES = 8;
const WIDER = 3;
/** Eight to the power of ten stretches are more than an epoch has. */
const TOP_TIER = 10;

interface TierSum {
  readonly birthHash: string;
  readonly level: Level;
  readonly children: number;
  readonly stretch: Omit<StoredStretch, "levels" | "tier">;
}

/**
 * Sums up closed stretches, eight by eight, into stretches of higher tiers, so that a look at a month reads as little
 * as one at an hour.
 */
export class StretchTiers {
  readonly #write: (stretch: StoredStretch) => void;
  /** Of tier i + 1, as far as it has come. */
  readonly #sums: (TierSum | undefined)[] = [];

  constructor(write: (stretch: StoredStretch) => void) {
    this.#write = write;
  }

  /** Go on where the store ends. */
  resume(reader: StoreReader, device: number, epoch: number): void {
    for (let tier = reader.topTier(device, epoch) ?? -1; tier >= 0; tier--) {
      const above = reader.lastStretch(device, epoch, tier + 1);
      const from = above === undefined ? 0 : above.through + 1;
      for (const child of reader.stretches(device, epoch, tier, from)) this.add(child);
    }
  }

  /** A stretch was closed. */
  add(child: StoredStretch): void {
    const tier = child.tier + 1;
    const stored = unlessDamaged(() => unpackLevel(child.levels, child.fromUs));
    if (tier > TOP_TIER || stored === undefined) return;
    const { birthHash } = stored;
    const before = this.#sums[child.tier];
    // What another birth coded has other units, and a sum would hide what is missing from its middle.
    const isNext = before?.birthHash === birthHash && before.stretch.through + 1 === child.from;
    const sum = isNext ? joined(before, child, stored.level) : first(child, birthHash, stored.level);
    if (sum.children < STRETCHES) {
      this.#sums[child.tier] = sum;
      return;
    }
    this.#sums[child.tier] = undefined;
    const stretch = { ...sum.stretch, tier };
    const written = { ...stretch, levels: packLevel({ birthHash, level: sum.level, runs: [] }, stretch.fromUs) };
    this.#write(written);
    this.add(written);
  }
}

function first({ tier: _, levels: __, ...stretch }: StoredStretch, birthHash: string, level: Level): TierSum {
  return { birthHash, level: level.coarser(WIDER), children: 1, stretch };
}

function joined({ birthHash, level, children, stretch }: TierSum, child: StoredStretch, finer: Level): TierSum {
  const by = finer.shift + WIDER - level.shift;
  const wide = by > 0 ? level.coarser(by) : level;
  wide.append(finer);
  return {
    birthHash,
    level: wide,
    children: children + 1,
    stretch: {
      epoch: stretch.epoch,
      from: stretch.from,
      through: child.through,
      ...timesOf(stretch, child),
      samples: stretch.samples + child.samples,
      flagged: stretch.flagged + child.flagged,
    },
  };
}

/** Of both together; where one stands for no sample, its time is nobody's. */
function timesOf(a: Omit<StoredStretch, "levels" | "tier">, b: StoredStretch): { fromUs: number; toUs: number } {
  if (b.samples === 0) return { fromUs: a.fromUs, toUs: a.toUs };
  if (a.samples === 0) return { fromUs: b.fromUs, toUs: b.toUs };
  return { fromUs: Math.min(a.fromUs, b.fromUs), toUs: Math.max(a.toUs, b.toUs) };
}
