import { isLoopback } from "./loopback-address.ts";
import { networkOf } from "./network-of.ts";

/** How many connections a port takes. */
export interface ConnectionShares {
  /** At once, in all. */
  readonly total: number;
  /** At once, of one address; of IPv6, of one network of 64 bits. */
  readonly perAddress: number;
  /** The same for this machine's own addresses, where a whole fleet may stand behind a proxy, or be simulated. */
  readonly perLoopbackAddress: number;
}

/** What a port takes of connections. */
export interface ConnectionLimits extends ConnectionShares {
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
  readonly #limits: ConnectionShares;
  readonly #byNetwork = new Map<string, number>();
  #total = 0;

  constructor(limits: ConnectionShares) {
    this.#limits = limits;
  }

  /** Whether one more connection of an address is taken; if so it counts until it leaves. */
  enter(address: string): boolean {
    const { total, perAddress, perLoopbackAddress } = this.#limits;
    const network = networkOf(address);
    const known = this.#byNetwork.get(network) ?? 0;
    if (this.#total >= total || known >= (isLoopback(address) ? perLoopbackAddress : perAddress)) return false;
    this.#total += 1;
    this.#byNetwork.set(network, known + 1);
    return true;
  }

  leave(address: string): void {
    const network = networkOf(address);
    const left = (this.#byNetwork.get(network) ?? 0) - 1;
    this.#total -= 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }
}
