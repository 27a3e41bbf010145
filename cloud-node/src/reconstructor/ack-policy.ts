/** When frames that became durable are acknowledged; a status, and a hole, are answered at once whatever it says. */
export interface AckPolicy {
  /** After so many frames, ≥ 1. */
  readonly everyFrames: number;
  /** So long after the first of them at the latest, ms. */
  readonly ageMs: number;
}

/** An ack costs some 100 bytes on MQTT: rare ones keep the down-link a small part of the traffic. */
export const DEFAULT_ACK_POLICY: AckPolicy = { everyFrames: 16, ageMs: 1_000 };
