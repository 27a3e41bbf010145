import type { SeededRandom } from "../seeded-random.ts";

/** One message under way, and how long it still takes. */
export interface Delivery {
  readonly bytes: Uint8Array;
  readonly afterMs: number;
}

/**
 * What a bad link does to one message: nothing, or none, several, later or other ones in its place.
 *
 * @param atMs  when the message was sent, from the start of the link
 */
export type LinkFault = (delivery: Delivery, atMs: number) => readonly Delivery[];

/** One direction of a link without faults. */
export const PERFECT: LinkFault = (delivery) => [delivery];

/** Apply faults one after the other, as stretches of one road. */
export function chain(...faults: readonly LinkFault[]): LinkFault {
  return (first, atMs) =>
    faults.reduce<readonly Delivery[]>((under, fault) => under.flatMap((delivery) => fault(delivery, atMs)), [first]);
}

/** Lose each message with this probability. */
export function loss(probability: number, random: SeededRandom): LinkFault {
  return (delivery) => (random.uniform() < probability ? [] : [delivery]);
}

/** Deliver each message a second time with this probability, up to `withinMs` later. */
export function duplication(probability: number, withinMs: number, random: SeededRandom): LinkFault {
  return (delivery) => {
    const laterMs = withinMs * random.uniform();
    if (random.uniform() >= probability) return [delivery];
    return [delivery, { bytes: delivery.bytes, afterMs: delivery.afterMs + laterMs }];
  };
}

/**
 * Make every message take `delayMs`, give or take `jitterMs`, none overtaking another.
 *
 * @param jitterMs  at most; uniform
 */
export function delay(delayMs: number, jitterMs: number, random: SeededRandom): LinkFault {
  let lastArrivalMs = 0;
  return ({ bytes, afterMs }, atMs) => {
    const arrivalMs = atMs + afterMs + Math.max(0, delayMs + jitterMs * (2 * random.uniform() - 1));
    lastArrivalMs = Math.max(lastArrivalMs, arrivalMs);
    return [{ bytes, afterMs: lastArrivalMs - atMs }];
  };
}

/** Hold each message back with this probability, up to `withinMs`, so that later ones overtake it. */
export function reordering(probability: number, withinMs: number, random: SeededRandom): LinkFault {
  return ({ bytes, afterMs }) => {
    const heldMs = withinMs * random.uniform();
    return [{ bytes, afterMs: random.uniform() < probability ? afterMs + heldMs : afterMs }];
  };
}

/** Flip one to three bits of each message with this probability. */
export function corruption(probability: number, random: SeededRandom): LinkFault {
  return (delivery) => {
    if (random.uniform() >= probability) return [delivery];
    const bytes = delivery.bytes.slice();
    for (let flips = 1 + Math.floor(3 * random.uniform()); flips > 0; flips -= 1) {
      const bit = Math.floor(8 * bytes.length * random.uniform());
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
    return [{ ...delivery, bytes }];
  };
}

/** Cut each message short with this probability, anywhere behind its first byte. */
export function truncation(probability: number, random: SeededRandom): LinkFault {
  return (delivery) => {
    const { length } = delivery.bytes;
    const kept = 1 + Math.floor((length - 1) * random.uniform());
    if (random.uniform() >= probability || length < 2) return [delivery];
    return [{ ...delivery, bytes: delivery.bytes.slice(0, kept) }];
  };
}

/** A time during which nothing passes, from the start of the link. */
export interface Cut {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Lose everything that is sent, or would arrive, during a cut. */
export function cut(cuts: readonly Cut[]): LinkFault {
  const isCut = (atMs: number) => cuts.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
  return (delivery, atMs) => (isCut(atMs) || isCut(atMs + delivery.afterMs) ? [] : [delivery]);
}

/** Faults of a link as a scenario states them; the same ones in both directions, each with its own dice. */
export interface LinkFaults {
  /** Probabilities per message, 0 … 1. */
  readonly loss?: number | undefined;
  readonly duplicate?: number | undefined;
  readonly reorder?: number | undefined;
  readonly corrupt?: number | undefined;
  readonly truncate?: number | undefined;
  readonly delayMs?: number | undefined;
  readonly jitterMs?: number | undefined;
  readonly cuts?: readonly Cut[] | undefined;
}

/** A reordered or duplicated message comes up to this much later. */
const STRAGGLE_MS = 100;

/** One direction of a link with these faults. */
export function linkFault(faults: LinkFaults, random: SeededRandom): LinkFault {
  const { loss: lost = 0, duplicate = 0, reorder = 0, corrupt = 0, truncate = 0 } = faults;
  const { delayMs = 0, jitterMs = 0, cuts = [] } = faults;
  const stages: LinkFault[] = [];
  if (lost > 0) stages.push(loss(lost, random.fork("loss")));
  if (delayMs > 0 || jitterMs > 0) stages.push(delay(delayMs, jitterMs, random.fork("delay")));
  if (duplicate > 0) stages.push(duplication(duplicate, STRAGGLE_MS, random.fork("duplicate")));
  if (reorder > 0) stages.push(reordering(reorder, STRAGGLE_MS, random.fork("reorder")));
  if (corrupt > 0) stages.push(corruption(corrupt, random.fork("corrupt")));
  if (truncate > 0) stages.push(truncation(truncate, random.fork("truncate")));
  if (cuts.length > 0) stages.push(cut(cuts));
  return chain(...stages);
}
