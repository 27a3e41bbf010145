import { isIPv6 } from "node:net";
import type { Clock } from "../clock.ts";

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

/** Who has one IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}
