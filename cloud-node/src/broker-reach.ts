import type { Duplex } from "node:stream";

/** How a client of this process reaches a broker: by its address, or over a stream to one in this process. */
export type BrokerReach = BrokerAddress | { stream(): Duplex };

/** A broker elsewhere, and who asks. Its secret is never to be logged. */
export interface BrokerAddress {
  /** `mqtt://HOST:PORT` or `mqtts://HOST:PORT`, without a user or password in it. */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** PEM; whom to trust instead of the system's authorities. */
  readonly ca?: string | undefined;
}
