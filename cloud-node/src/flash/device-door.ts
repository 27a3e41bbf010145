import type { FlashCommandFrame } from "@lockstep/protocol";

type WithoutNonce<F> = F extends unknown ? Omit<F, "nonce" | "kind"> : never;

/** What is said to a device; whoever sends it adds the boot that it is for. */
export type FlashCommand = WithoutNonce<FlashCommandFrame>;

/** The boot of a device that is in force. */
export interface DeviceBoot {
  readonly isOnline: boolean;
  readonly epoch: number;
  /** SHA-256 of the module that it named in its birth, 64 hex digits. */
  readonly model: string;
  /** Frames of this epoch that are confirmed. */
  readonly confirmed: number;
}

/** The way to devices, over whatever connection each has. */
export interface DeviceDoor {
  /** Undefined for a device that was never born here. */
  boot(device: string): DeviceBoot | undefined;
  /** @returns false when there is no way to the device now; true does not say that it arrived */
  send(device: string, command: FlashCommand): boolean;
  /** Names of all devices that were ever born here. */
  devices(): string[];
}
