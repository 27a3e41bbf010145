import type { DeviceRates } from "./device-rates.ts";

/** Whom a gate knows. */
export interface Speakers {
  /** No device was ever added: everybody may speak. */
  readonly isOpen: boolean;
  /** What a device that may speak was granted: the same until it is revoked, and another one when it is added again. */
  grantOf(id: string): string | undefined;
  /** Whether a device that may speak may also hand jobs in, and end them. */
  mayUseJobs(id: string): boolean;
}

/** Decides about messages of devices before anything else does. */
export class SpeakerGate {
  readonly #speakers: Speakers;
  readonly #rates: DeviceRates | undefined;

  /** @param rates  nothing: no limit */
  constructor(speakers: Speakers, rates: DeviceRates | undefined) {
    this.#speakers = speakers;
    this.#rates = rates;
  }

  /** Everybody may speak. */
  get isOpen(): boolean {
    return this.#speakers.isOpen;
  }

  /**
   * Whether a device may speak on a connection.
   *
   * @param isKnown  the transport has made sure who speaks there
   */
  admits(device: string, isKnown: boolean): boolean {
    return this.#speakers.isOpen || (isKnown && this.#speakers.grantOf(device) !== undefined);
  }

  /**
   * Whether somebody may hand jobs in, and end them: who speaks must be known by name, and added for it.
   *
   * @param device  undefined: it has said no name
   */
  mayUseJobs(device: string | undefined, isKnown: boolean): boolean {
    return this.#speakers.isOpen || (isKnown && device !== undefined && this.#speakers.mayUseJobs(device));
  }

  /** Account for a message. @param device  whatever stands for it @returns which of its limits it is over: it goes no further */
  over(device: object, bytes: number): "frames" | "bytes" | undefined {
    return this.#rates?.over(device, bytes);
  }
}
