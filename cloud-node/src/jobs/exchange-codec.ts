import { timingSafeEqual } from "node:crypto";
import { JobError } from "./job-error.ts";

/** Most bytes of a message in one frame. */
export const MAX_EXCHANGE_BYTES = 61_440;
const MAC_BYTES = 8;
const HEAD_BYTES = 8 + 2 + 2 + 4 + 1;

/** A piece of a message between two workers of one job. */
export interface Exchange {
  /** 16 lower-case hexadecimal digits: the head of the job's id. */
  readonly job: string;
  /** u16: places. */
  readonly from: number;
  readonly to: number;
  /** u32: counts the frames from one place to another. */
  readonly seq: number;
  /** False: the message goes on in the next frame. */
  readonly isLast: boolean;
  readonly payload: Uint8Array;
}

/** The code of some bytes, of which the first 8 are taken. */
export type MacOf = (covered: Uint8Array) => Uint8Array;

/** Write a frame, with its code behind it. */
export function sealExchange({ job, from, to, seq, isLast, payload }: Exchange, macOf: MacOf): Uint8Array {
  const bytes = Buffer.alloc(HEAD_BYTES + payload.length + MAC_BYTES);
  bytes.write(job, 0, "hex");
  bytes.writeUInt16BE(from, 8);
  bytes.writeUInt16BE(to, 10);
  bytes.writeUInt32BE(seq, 12);
  bytes.writeUInt8(Number(isLast), 16);
  bytes.set(payload, HEAD_BYTES);
  const end = bytes.length - MAC_BYTES;
  bytes.set(macOf(bytes.subarray(0, end)).subarray(0, MAC_BYTES), end);
  return bytes;
}

/** Read a frame whose code is right. @throws {JobError} `failed` */
export function openExchange(bytes: Uint8Array, macOf: MacOf): Exchange {
  const end = bytes.length - MAC_BYTES;
  if (end < HEAD_BYTES) throw damaged("is too short");
  if (!timingSafeEqual(macOf(bytes.subarray(0, end)).subarray(0, MAC_BYTES), bytes.subarray(end))) {
    throw damaged("has a wrong code");
  }
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  return {
    job: frame.toString("hex", 0, 8),
    from: frame.readUInt16BE(8),
    to: frame.readUInt16BE(10),
    seq: frame.readUInt32BE(12),
    isLast: frame.readUInt8(16) === 1,
    payload: frame.subarray(HEAD_BYTES),
  };
}

function damaged(how: string): JobError {
  return new JobError("failed", `a frame of a shared job ${how}`, "nothing: the connection is closed");
}
