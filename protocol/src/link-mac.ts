import { FrameError } from "./errors.ts";
import { SEAL_HEADER, SEAL_ITEM_BYTES } from "./seal.ts";

/** Bytes of a MAC, behind the checksum in a seal of twelve. */
export const MAC_BYTES = 8;
/** Bytes of a link key. */
export const LINK_KEY_BYTES = 32;

/** Which way a frame goes; each has a key of its own. */
export type LinkDirection = "up" | "down";

/** CBOR header of a byte string of twelve. */
const SEALED_HEADER = 0x4c;
const LABEL = new TextEncoder().encode("lockstep link 1\0");
const NONCE_BYTES = 4;

/** A frame that came with a MAC, in parts. */
export interface MacFrame {
  /** The frame as it is without, a copy. */
  readonly frame: Uint8Array;
  /** What the MAC is of, a view. */
  readonly covered: Uint8Array;
  /** Its 8 bytes, a view. */
  readonly mac: Uint8Array;
}

/**
 * What a link key is applied to, by HMAC-SHA256, to give the key of one boot in one direction.
 *
 * @param nonce  of the boot, u32
 * @param device  its name, as in its birth
 * @see protocol/SPEC.md, section 9
 */
export function bootKeyMessage(direction: LinkDirection, nonce: number, device: string): Uint8Array {
  const name = new TextEncoder().encode(device);
  const message = new Uint8Array(LABEL.length + 1 + NONCE_BYTES + name.length);
  message.set(LABEL);
  message[LABEL.length] = direction === "up" ? 0 : 1;
  new DataView(message.buffer).setUint32(LABEL.length + 1, nonce);
  message.set(name, LABEL.length + 1 + NONCE_BYTES);
  return message;
}

/**
 * Take a MAC off, without judging it.
 *
 * @returns undefined when the bytes do not end as a seal of twelve does
 */
export function splitMac(sealed: Uint8Array): MacFrame | undefined {
  const length = sealed.length - MAC_BYTES;
  const header = length - SEAL_ITEM_BYTES;
  if (header < 0 || sealed[header] !== SEALED_HEADER) return undefined;
  // Not by slice, which of Node's Buffer gives a view.
  const frame = new Uint8Array(sealed.subarray(0, length));
  frame[header] = SEAL_HEADER;
  return { frame, covered: sealed.subarray(0, length), mac: sealed.subarray(length) };
}

/**
 * Put a MAC on a frame.
 *
 * @param frame  whole, with a seal of four; not changed
 * @param macOf  the code of what it is given, of which the first 8 bytes are taken
 * @throws {FrameError} `wrong-shape` when the bytes do not end in a seal of four
 */
export function addMac(frame: Uint8Array, macOf: (covered: Uint8Array) => Uint8Array): Uint8Array {
  const header = frame.length - SEAL_ITEM_BYTES;
  if (header < 0 || frame[header] !== SEAL_HEADER) throw new FrameError("wrong-shape", { offset: 0, field: "seal" });
  const sealed = new Uint8Array(frame.length + MAC_BYTES);
  sealed.set(frame);
  sealed[header] = SEALED_HEADER;
  sealed.set(macOf(sealed.subarray(0, frame.length)).subarray(0, MAC_BYTES), frame.length);
  return sealed;
}
