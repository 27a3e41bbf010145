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

/**
 * A peer's bits over ours, above 1 where ours is smaller.
 *
 * @param peer  a name, or one of `BEST`
 * @returns one for each cell that has both
 */
export function ratiosTo(cells: readonly Cell[], peer: string, ours: OursChoice): number[] {
  const bitsOf = (cell: Cell) => {
    if (peer === BEST.all) return bestPeer(cell, "all").bits;
    if (peer === BEST["without lookahead"]) return bestPeer(cell, "without lookahead").bits;
    return ratesOf(cell).find((rate) => rate.peer === peer)?.bits ?? Number.NaN;
  };
  return cells.map((cell) => bitsOf(cell) / oursOf(cell, ours)).filter((ratio) => !Number.isNaN(ratio));
}

/** Every peer that has a rate in some cell, in the order of their columns. */
export function peerNames(cells: readonly Cell[]): string[] {
  const measured = Object.keys(cells[0]?.peers ?? {});
  return [...measured, ...ELSEWHERE_PEERS.filter((peer) => cells.some((cell) => peer in elsewhereOf(cell)))];
}
