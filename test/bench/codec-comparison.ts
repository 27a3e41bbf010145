import type { Cell } from "./codec-cell.ts";
import { ELSEWHERE_PEERS, elsewhereOf } from "./codec-elsewhere.ts";
import { type FrameLength, VARIANTS } from "./codec-ours.ts";

/** The recordings that settings may be chosen on; on the others they are only confirmed. */
export const TUNED_SETS: readonly string[] = ["imu_handheld", "machine_temp", "ecg_mitbih100"];
export const HELD_OUT_SETS: readonly string[] = ["bearing_ir7", "gas_mox8", "power_home"];

/** A peer's rate in a cell, and whether it was measured in this run. */
export interface PeerRate {
  readonly peer: string;
  readonly bits: number;
  readonly hasLookahead: boolean;
}

/** Peers to choose the best from. */
export type PeerClass = "all" | "without lookahead";

/** Names for the best of a class, in tables and as peers of `ratiosTo`. */
export const BEST: Readonly<Record<PeerClass, string>> = {
  all: "best of all",
  "without lookahead": "best without lookahead",
};

/** Every peer's rate, those measured elsewhere last. */
export function ratesOf(cell: Cell): PeerRate[] {
  const measured = Object.entries(cell.peers).map(([peer, { bitsPerSample, hasLookahead }]) => {
    return { peer, bits: bitsPerSample, hasLookahead };
  });
  const elsewhere = Object.entries(elsewhereOf(cell)).map(([peer, bits]) => ({ peer, bits, hasLookahead: false }));
  return [...measured, ...elsewhere];
}

/** The smallest of a class. */
export function bestPeer(cell: Cell, peers: PeerClass): PeerRate {
  const rates = ratesOf(cell).filter((rate) => peers === "all" || !rate.hasLookahead);
  return rates.reduce((best, rate) => (rate.bits < best.bits ? rate : best));
}

/** Which of our runs is meant. */
export interface OursChoice {
  readonly variant: string;
  readonly frames: FrameLength;
}

/** Every variant at every frame length that was measured. */
export function choicesOf(frames: readonly FrameLength[]): OursChoice[] {
  return VARIANTS.flatMap(({ name }) => frames.map((length) => ({ variant: name, frames: length })));
}

/** Our bits per channel-sample; not a number where it was not measured. */
export function oursOf(cell: Cell, { variant, frames }: OursChoice): number {
  return cell.ours.find((run) => run.variant === variant && run.frames === frames)?.bitsPerSample ?? Number.NaN;
}

/** The same with a byte for every quiet frame. */
export function countedOf(cell: Cell, { variant, frames }: OursChoice): number {
  const run = cell.ours.find((each) => each.variant === variant && each.frames === frames);
  return run?.countedBitsPerSample ?? Number.NaN;
}

/** A peer's bits over ours in those of `of` cells that have both. */
export interface Ratios {
  readonly values: readonly number[];
  readonly of: number;
}

/**
 * A peer's bits over ours, above 1 where ours is smaller. The best of a class is that of the peers that a cell has: see
 * `hasEveryPeer`.
 *
 * @param peer  a name, or one of `BEST`
 */
export function ratiosTo(cells: readonly Cell[], peer: string, ours: OursChoice): Ratios {
  const bitsOf = (cell: Cell) => {
    if (peer === BEST.all) return bestPeer(cell, "all").bits;
    if (peer === BEST["without lookahead"]) return bestPeer(cell, "without lookahead").bits;
    return ratesOf(cell).find((rate) => rate.peer === peer)?.bits ?? Number.NaN;
  };
  return keepKnown(cells.map((cell) => bitsOf(cell) / oursOf(cell, ours)));
}

/** Of one ratio for each cell, those that are numbers. */
export function keepKnown(ratios: readonly number[]): Ratios {
  return { values: ratios.filter((ratio) => !Number.isNaN(ratio)), of: ratios.length };
}

/** Whether a cell has a rate of each peer that is measured elsewhere and of each that another cell has. */
export function hasEveryPeer(cell: Cell, cells: readonly Cell[]): boolean {
  const had = new Set(ratesOf(cell).map(({ peer }) => peer));
  return [...ELSEWHERE_PEERS, ...peerNames(cells)].every((peer) => had.has(peer));
}

/** Every peer that has a rate in some cell, in the order of their columns. */
export function peerNames(cells: readonly Cell[]): string[] {
  const measured = new Set(cells.flatMap((cell) => Object.keys(cell.peers)));
  return [...measured, ...ELSEWHERE_PEERS.filter((peer) => cells.some((cell) => peer in elsewhereOf(cell)))];
}
