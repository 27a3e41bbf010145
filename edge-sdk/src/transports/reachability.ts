/** Whom a transport tells about its connection, in words. */
export interface ReachabilityListener {
  /** Why there is no talking, and what to do: each reason once, until the far end is heard again. The transport goes on trying. */
  readonly onProblem?: ((problem: string) => void) | undefined;
  /** The far end is heard again, after a problem. */
  readonly onRecovery?: (() => void) | undefined;
}

/** What the system says, and what to look at; of anything else its own words are told. */
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: is a node running, and is that its port?",
  ENOTFOUND: "there is no such host: is the name right?",
  EAI_AGAIN: "the name of the host cannot be looked up now: is this computer on a network?",
  ENETUNREACH: "there is no way to that network: is this computer on one?",
  EHOSTUNREACH: "there is no way to that host: is it on, and on this network?",
  "2": "it takes this device under another name only: is its group the node's?",
  "4": "it does not know this device with this password: was it added, and not revoked, with `lockstep devices`?",
  "5": "it does not let this device in: was it added, and not revoked, with `lockstep devices`?",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate signs itself: give it as --ca if you know it to be the right one",
  SELF_SIGNED_CERT_IN_CHAIN: "nobody here knows who signed its certificate: give that authority's with --ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "nobody here knows who signed its certificate: give that authority's with --ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "nobody here knows who signed its certificate: give that authority's with --ca",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name: connect by the one that stands in it",
  CERT_HAS_EXPIRED: "its certificate has expired, or this computer's clock is wrong",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS: connect with mqtt:// or tcp://",
  ETIMEDOUT: "no answer: is it on, and does a firewall stand between?",
};

/** Tells changes of state: a far end that is gone, and one that is back. */
export class Reachability {
  readonly #address: string;
  readonly #listener: ReachabilityListener;
  /** Since the far end was heard last. */
  readonly #told = new Set<string>();

  /** @param url  of the far end; a password in it is told to nobody */
  constructor(url: string, listener: ReachabilityListener) {
    const { protocol, host } = new URL(url);
    this.#address = `${protocol}//${host}`;
    this.#listener = listener;
  }

  /** A connection could not be made, or is gone. */
  lost(reason: Error | string): void {
    const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
    const words = MEANINGS[code] ?? (reason instanceof Error ? reason.message || code : reason);
    if (this.#told.has(words)) return;
    this.#told.add(words);
    this.#listener.onProblem?.(`${this.#address} cannot be reached, trying again: ${words}`);
  }

  /** The far end has answered. */
  heard(): void {
    if (this.#told.size === 0) return;
    this.#told.clear();
    this.#listener.onRecovery?.();
  }
}
