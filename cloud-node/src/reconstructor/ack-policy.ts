import type { BirthFrame } from "@lockstep/protocol";

/** When frames that became durable are acknowledged; a status, and a hole, are answered at once whatever it says. */
export interface AckPolicy {
  /** After so many frames, ≥ 1. */
  readonly everyFrames: number;
  /** So long after the first of them at the latest, ms; nothing: as long as six of the device's frames take, 1 … 30 s. */
  readonly ageMs?: number | undefined;
}

/** An `AckPolicy` for one device. */
export interface AckTimes {
  readonly everyFrames: number;
  readonly ageMs: number;
}

/** An ack costs some 100 bytes on MQTT: rare ones keep the down-link a small part of the traffic. */
export const DEFAULT_ACK_POLICY: AckPolicy = { everyFrames: 16 };

const FRAMES_PER_ACK = 6;
const SHORTEST_AGE_MS = 1_000;
const LONGEST_AGE_MS = 30_000;

/** The policy for a device with this birth, if it is known. */
export function ackTimes({ everyFrames, ageMs }: AckPolicy, birth: BirthFrame | undefined): AckTimes {
  const frameMs = birth === undefined ? 0 : (birth.frameSamples * birth.periodNs) / 1e6;
  const patient = Math.min(Math.max(Math.round(FRAMES_PER_ACK * frameMs), SHORTEST_AGE_MS), LONGEST_AGE_MS);
  return { everyFrames, ageMs: ageMs ?? patient };
}
