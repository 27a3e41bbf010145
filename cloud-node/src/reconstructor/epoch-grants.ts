import type { StoredEpoch } from "../store/store.ts";

/** The last epoch that fits the wire; a device whose epochs are used up needs another name. */
const LAST_EPOCH = 0xffff_ffff;

/** What a birth is answered with. */
export interface EpochGrant {
  readonly epoch: number;
  /** Whether it has to be written down before it is told. */
  readonly isNew: boolean;
}

/** The epochs of one device: who has which, and who gets the next. */
export class EpochGrants {
  readonly #epochs = new Map<number, StoredEpoch>();
  #newest = 0;

  constructor(stored: readonly StoredEpoch[]) {
    for (const epoch of stored) this.add(epoch);
  }

  /** The largest epoch known, 0 when there is none. */
  get newest(): number {
    return this.#newest;
  }

  /** All of them. */
  numbers(): Iterable<number> {
    return this.#epochs.keys();
  }

  get(epoch: number): StoredEpoch | undefined {
    return this.#epochs.get(epoch);
  }

  add(epoch: StoredEpoch): void {
    this.#epochs.set(epoch.epoch, epoch);
    this.#newest = Math.max(this.#newest, epoch.epoch);
  }

  /**
   * The epoch in which a boot goes on.
   *
   * A boot that asks twice gets the same answer. One that names an epoch of its own gets it, unless another boot has it
   * or a later one is known: then its counter was reset, and rows of another boot may lie there.
   *
   * @param nonce  of the boot
   * @param wanted  the epoch that its birth names, 0 for none
   * @returns undefined when there is no epoch left to grant
   */
  grant(nonce: number, wanted: number): EpochGrant | undefined {
    const known = this.#epochs.get(wanted);
    if (known?.nonce === nonce) return { epoch: wanted, isNew: false };
    if (known === undefined && wanted > this.#newest) return { epoch: wanted, isNew: true };
    const own = this.#ofNonce(nonce);
    if (own !== undefined) return { epoch: own, isNew: false };
    return this.#newest === LAST_EPOCH ? undefined : { epoch: this.#newest + 1, isNew: true };
  }

  #ofNonce(nonce: number): number | undefined {
    let newest: number | undefined;
    for (const { epoch, nonce: owner } of this.#epochs.values()) {
      if (owner === nonce && epoch > (newest ?? 0)) newest = epoch;
    }
    return newest;
  }
}
