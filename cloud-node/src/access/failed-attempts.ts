import type { Clock } from "../clock.ts";
import { networkOf } from "./network-of.ts";

/** So many may be mistakes. */
const FREE_ATTEMPTS = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** After so long without one the address starts anew, ms. */
const FORGET_MS = 10 * 60_000;
/** Addresses that are remembered; the one that failed longest ago makes room. */
const MAX_ADDRESSES = 10_000;

/** Wrong tokens by address: each one after the fifth doubles the time in which that address is not heard, 1 s to 60 s. */
export class FailedAttempts {
  readonly #clock: Clock;
  readonly #failed = new Map<string, { count: number; lastMs: number }>();
  #total = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Since the start, of all addresses. */
  get total(): number {
    return this.#total;
  }

  /** How long an address has to wait before it is heard again, ms; 0: it is heard. */
  waitMs(address: string): number {
    const failed = this.#failed.get(networkOf(address));
    if (failed === undefined || failed.count < FREE_ATTEMPTS) return 0;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failed.count - FREE_ATTEMPTS));
    return Math.max(0, failed.lastMs + wait - this.#clock.nowMs());
  }

  /** A token was wrong. */
  add(address: string): void {
    this.#total += 1;
    const network = networkOf(address);
    const nowMs = this.#clock.nowMs();
    const before = this.#failed.get(network);
    const isRecent = before !== undefined && nowMs - before.lastMs < FORGET_MS;
    // Put behind all others, so that the first one in the map is the one to forget.
    this.#failed.delete(network);
    this.#failed.set(network, { count: isRecent ? before.count + 1 : 1, lastMs: nowMs });
    const [oldest] = this.#failed.keys();
    if (this.#failed.size > MAX_ADDRESSES && oldest !== undefined) this.#failed.delete(oldest);
  }
}
