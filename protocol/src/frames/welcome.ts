import { FrameError } from "../errors.ts";
import { field, u32 } from "../field.ts";
import type { FrameLayout } from "../frame-layout.ts";
import { isIdentifier, MAX_ALIAS_LENGTH } from "../text-rules.ts";
import { EPOCH, NONCE, TIME } from "./numbers.ts";

/** Answers a birth: the epoch in force and where to go on. @see protocol/SPEC.md, section 3.7 */
export interface WelcomeFrame {
  readonly kind: "welcome";
  /** u32, echoed from the birth */
  readonly nonce: number;
  /** u32 ≥ 1: in force from now on. */
  readonly epoch: number;
  /** u32: next seq that the cloud expects in it. */
  readonly through: number;
  /** 0 … 6 of `[A-Za-z0-9_-]`: frames may go to `aliasTopic(alias)`; empty: there is none. */
  readonly alias: string;
  /** At most a day: longest time between storing a frame and acknowledging it, ms. */
  readonly ackAgeMs: number;
  /** u53: the cloud's Unix time, µs. */
  readonly timeUs: number;
}

const THROUGH = u32("through");
const ACK_AGE = field("ack age", 0, 86_400_000);
const ALIAS = field("alias", 0, MAX_ALIAS_LENGTH);

export const WELCOME_LAYOUT: FrameLayout<WelcomeFrame> = {
  kindCode: 8,
  elements: 8,
  sealing: "plain",
  encode(writer, frame) {
    writer.int(frame.nonce, NONCE);
    writer.int(frame.epoch, EPOCH);
    writer.int(frame.through, THROUGH);
    checkAlias(frame.alias, writer.length);
    writer.text(frame.alias, ALIAS);
    writer.int(frame.ackAgeMs, ACK_AGE);
    writer.int(frame.timeUs, TIME);
  },
  decode(reader) {
    const nonce = reader.uint(NONCE);
    const epoch = reader.uint(EPOCH);
    const through = reader.uint(THROUGH);
    const offset = reader.offset;
    const alias = reader.text(ALIAS);
    checkAlias(alias, offset);
    const ackAgeMs = reader.uint(ACK_AGE);
    return { kind: "welcome", nonce, epoch, through, alias, ackAgeMs, timeUs: reader.uint(TIME) };
  },
};

function checkAlias(alias: string, offset: number): void {
  if (!isIdentifier(alias)) {
    throw new FrameError("out-of-range", { offset, field: ALIAS.name });
  }
}
