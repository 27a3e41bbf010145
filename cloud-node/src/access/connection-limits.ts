import { isLoopback } from "./loopback-address.ts";

/** What a port takes of connections. */
export interface ConnectionLimits {
  /** At once, in all. */
  readonly total: number;
  /** At once, of one address. */
  readonly perAddress: number;
  /** The same for this machine's own addresses, where a whole fleet may stand behind a proxy, or be simulated. */
  readonly perLoopbackAddress: number;
  /** A connection that has not said who it is by then is ended, ms. */
  readonly firstWordMs: number;
  /** As is one on which a message that was begun has not ended by then, ms. */
  readonly messageMs: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  total: 20_000,
  perAddress: 1_000,
  perLoopbackAddress: 20_000,
  firstWordMs: 30_000,
  messageMs: 60_000,
};

/** Counts the connections of a port. */
export class ConnectionCensus {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Whether one more connection of an address is taken; if so it counts until it leaves. */
  enter(address: string): boolean {
    const { total, perAddress, perLoopbackAddress } = this.#limits;
    const known = this.#byAddress.get(address) ?? 0;
    if (this.#total >= total || known >= (isLoopback(address) ? perLoopbackAddress : perAddress)) return false;
    this.#total += 1;
    this.#byAddress.set(address, known + 1);
    return true;
  }

  leave(address: string): void {
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    this.#total -= 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
