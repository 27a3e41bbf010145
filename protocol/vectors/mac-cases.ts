import { createHmac } from "node:crypto";

/** One golden sealed frame: a frame of `frame-cases.ts`, and the link that it goes by. */
export interface MacCase {
  readonly name: string;
  readonly about: string;
  /** The golden frame that it is without its MAC. */
  readonly of: string;
  readonly direction: "up" | "down";
  readonly device: string;
  /** Of the boot that sends it, where the frame names none. */
  readonly nonce: number;
  /** 32 bytes, hexadecimal. */
  readonly key: string;
}

/** What the JSON of a sealed frame holds; bytes are hexadecimal. */
export interface MacVector {
  readonly about: string;
  readonly device: string;
  readonly direction: "up" | "down";
  readonly nonce: number;
  readonly key: string;
  readonly bootKey: string;
  readonly frame: string;
  readonly sealed: string;
}

const COUNTED = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ONES = "ff".repeat(32);
const LONGEST_NAME = "a".repeat(64);

/** Every golden sealed frame. */
export const MAC_CASES: readonly MacCase[] = [
  up("birth", "the first word of a boot", "birth-rotor", 0),
  up("birth-largest", "the largest birth", "birth-largest", 0),
  up("keyframe", "a segment begins", "keyframe-typical", 0x1234_5678),
  up("residual", "what a link carries most", "residual-typical", 0x1234_5678),
  up("residual-payload-256", "more than one block of the hash", "residual-payload-256", 1),
  up("heartbeat", "nothing to say", "heartbeat-typical", 0x1234_5678),
  up("status", "all is told", "status-typical", 0),
  up("presence", "the will", "presence-offline", 0),
  up("state", "what an updater says", "flash-state-receiving", 0),
  down("ack", "one frame is missing", "ack-one-missing"),
  down("resync", "begin afresh", "resync-state-mismatch"),
  down("welcome", "an answer to a birth", "welcome-typical"),
  down("refusal", "who are you?", "refusal-unknown-device"),
  down("flash-ask", "what runs there?", "flash-ask"),
  up("job-submit", "what a program that has jobs says", "job-submit", 0),
  up("job-submit-largest", "the longest of it", "job-submit-largest", 0),
  down("result-done", "and hears", "result-done"),
  { ...up("key-of-ones", "another key", "heartbeat-shortest", 0xffff_ffff), key: ONES },
  { ...up("name-of-64", "the longest name", "heartbeat-shortest", 0), device: LONGEST_NAME },
  { ...up("other-nonce", "the same frame in another boot", "heartbeat-typical", 0x1234_5679) },
];

/**
 * The text of the specification, section 9, as literally as it can be written.
 *
 * @param frame  as golden, with a seal of four
 * @param named  the nonce that it names, if it names one
 */
export function macVector(
  { about, device, direction, nonce: sender, key }: MacCase,
  frame: Uint8Array,
  named: number | undefined,
): MacVector {
  const nonce = named ?? sender;
  const which = Buffer.alloc(5);
  which.writeUInt8(direction === "up" ? 0 : 1);
  which.writeUInt32BE(nonce, 1);
  const bootKey = createHmac("sha256", Buffer.from(key, "hex"))
    .update("lockstep link 1")
    .update(Buffer.of(0))
    .update(which)
    .update(device)
    .digest();
  const [before, checksum] = [frame.subarray(0, -5), frame.subarray(-4)];
  const covered = Buffer.concat([before, Buffer.of(0x4c), checksum]);
  const mac = createHmac("sha256", bootKey).update(covered).digest().subarray(0, 8);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const sealed = hex(Buffer.concat([covered, mac]));
  return { about, device, direction, nonce, key, bootKey: hex(bootKey), frame: hex(frame), sealed };
}

function up(name: string, about: string, of: string, nonce: number): MacCase {
  return { name, about, of, direction: "up", device: "rotor-1", nonce, key: COUNTED };
}

function down(name: string, about: string, of: string): MacCase {
  return { ...up(name, about, of, 0), direction: "down" };
}
