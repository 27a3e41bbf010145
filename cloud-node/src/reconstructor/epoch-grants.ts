import type { StoredEpoch } from "../store/store.ts";

/** The last epoch that fits the wire; a device whose epochs are used up needs another name. */
const LAST_EPOCH = 0xffff_ffff;

/** What a birth is answered with. */
export interface EpochGrant {
  readonly epoch: number;
  /** Whether it has to be written down before it is told. */
  readonly isNew: boolean;
}

/** The epochs of one device: who has which, who gets the next, and whose boot is in force. */
export class EpochGrants {
  readonly #epochs = new Map<number, StoredEpoch>();
  readonly #hasFrames: (epoch: number) => boolean;
  #newest = 0;
  #inForce = 0;
  /** Undefined: as its stored frames say. */
  #isProven: boolean | undefined;

  /** @param hasFrames  whether frames of an epoch are stored */
  constructor(stored: readonly StoredEpoch[], hasFrames: (epoch: number) => boolean = () => false) {
    this.#hasFrames = hasFrames;
    for (const epoch of stored) this.add(epoch);
  }

  /** The epoch of the boot in force, the last one born; undefined before the first. */
  get inForce(): StoredEpoch | undefined {
    return this.#epochs.get(this.#inForce);
  }

  /** Nonce of the boot in force: what everything sent to the device must echo. */
  get nonce(): number | undefined {
    return this.inForce?.nonce;
  }

  /** Whether a boot is known, and another is in force. */
  isOver(nonce: number): boolean {
    return nonce !== this.nonce && this.#ofNonce(nonce) !== undefined;
  }

  /** Whether the boot in force has said anything that only a boot says which was welcomed. @see protocol/SPEC.md, section 9.2 */
  get isProven(): boolean {
    this.#isProven ??= this.#hasFrames(this.#inForce);
    return this.#isProven;
  }

  prove(): void {
    this.#isProven = true;
  }

  /** Put a boot in force that was over: the one after it was never proven. */
  revive(nonce: number): void {
    this.#inForce = this.#ofNonce(nonce) ?? this.#inForce;
    this.#isProven = false;
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
    if (epoch.epoch < this.#newest) return;
    this.#newest = epoch.epoch;
    this.#inForce = epoch.epoch;
    this.#isProven = undefined;
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
