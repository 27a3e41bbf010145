import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { encodeStreamFrame } from "@lockstep/protocol";
import type { MacOf } from "./exchange-codec.ts";
import { JobError } from "./job-error.ts";

/**
 * How a worker that takes a place of a shared job, and the one at place 0, prove to each other that they know the secret
 * which was offered with the place. Every part is a frame of the byte stream (u16 length, then these bytes):
 *
 *     to place 0    hello    1 · index u16 · nonce 32
 *     from place 0  welcome  2 · nonce 32 · proof 32
 *     to place 0    proof    3 · proof 32
 *
 * A proof is HMAC-SHA256 under the secret of a label, the job, the index and both nonces; so are the keys of the two
 * directions, by which each frame after this one carries a code.
 */
const HELLO = 1;
const WELCOME = 2;
const PROOF = 3;
const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
/** The longest part of a handshake: nobody who has proved nothing may send more. */
export const MAX_HANDSHAKE_BYTES = 1 + NONCE_BYTES + PROOF_BYTES;

/** What both sides must know before they speak. */
export interface HandshakeSecret {
  /** The job's id, hexadecimal. */
  readonly job: string;
  readonly secret: Uint8Array;
}

/** Codes for what is sent, and for what is received. */
export interface LinkKeys {
  readonly send: MacOf;
  readonly receive: MacOf;
}

/** Parts of a handshake, in order, as they come in; undefined: the other side has closed. */
export type NextPart = () => Promise<Uint8Array | undefined>;
type Send = (bytes: Uint8Array) => void;

/** Take a place. @throws {JobError} `peer-left` when the other side does not know the secret, or closes */
export async function joinPlace(
  { job, secret }: HandshakeSecret,
  index: number,
  next: NextPart,
  send: Send,
): Promise<LinkKeys> {
  const nonce = randomBytes(NONCE_BYTES);
  const place = Buffer.alloc(2);
  place.writeUInt16BE(index);
  send(encodeStreamFrame(Buffer.concat([Buffer.of(HELLO), place, nonce])));
  const welcome = await part(next, WELCOME, NONCE_BYTES + PROOF_BYTES);
  const both = transcript(job, index, nonce, welcome.subarray(0, NONCE_BYTES));
  check(welcome.subarray(NONCE_BYTES), secret, "place 0", both);
  send(encodeStreamFrame(Buffer.concat([Buffer.of(PROOF), code(secret, "place", both)])));
  return { send: macOf(secret, "up", both), receive: macOf(secret, "down", both) };
}

/**
 * Let somebody take a place.
 *
 * @param isFree  whether there is such a place, and nobody has it
 * @throws {JobError} `peer-left` when he does not know the secret, asks for no free place, or closes
 */
export async function admitPlace(
  { job, secret }: HandshakeSecret,
  isFree: (index: number) => boolean,
  next: NextPart,
  send: Send,
): Promise<{ readonly index: number; readonly keys: LinkKeys }> {
  const hello = await part(next, HELLO, 2 + NONCE_BYTES);
  const index = Buffer.from(hello).readUInt16BE(0);
  const nonce = randomBytes(NONCE_BYTES);
  const both = transcript(job, index, hello.subarray(2), nonce);
  send(encodeStreamFrame(Buffer.concat([Buffer.of(WELCOME), nonce, code(secret, "place 0", both)])));
  const proof = await part(next, PROOF, PROOF_BYTES);
  check(proof, secret, "place", both);
  if (!isFree(index)) throw refused(`there is no free place ${index}`);
  return { index, keys: { send: macOf(secret, "down", both), receive: macOf(secret, "up", both) } };
}

async function part(next: NextPart, kind: number, bytes: number): Promise<Uint8Array> {
  const come = await next();
  if (come === undefined) throw refused("the other side closed the connection");
  if (come[0] !== kind || come.length !== 1 + bytes) throw refused("the other side speaks something else");
  return come.subarray(1);
}

function transcript(job: string, index: number, theirs: Uint8Array, ours: Uint8Array): Buffer {
  const place = Buffer.alloc(2);
  place.writeUInt16BE(index);
  return Buffer.concat([Buffer.from(job, "hex"), place, theirs, ours]);
}

function check(proof: Uint8Array, secret: Uint8Array, label: string, both: Uint8Array): void {
  if (!timingSafeEqual(proof, code(secret, label, both))) throw refused("the other side does not know the secret");
}

/** Labels end with a zero byte: none is the head of another. */
function code(key: Uint8Array, label: string, message: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`lockstep exchange 1 ${label}\0`).update(message).digest();
}

function macOf(secret: Uint8Array, direction: "up" | "down", both: Uint8Array): MacOf {
  const key = code(secret, direction, both);
  return (covered) => createHmac("sha256", key).update(covered).digest();
}

function refused(why: string): JobError {
  return new JobError("peer-left", `no place in a shared job: ${why}`, "let only workers of the queue take its jobs");
}
