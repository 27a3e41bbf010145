import { timingSafeEqual } from "node:crypto";
import { addMac, decodeFrame, type ExchangeFrame, encodeFrame, MAC_BYTES, splitMac } from "@lockstep/protocol";
import { JobError } from "./job-error.ts";

/** HMAC-SHA256 of some bytes under the key of a channel and a direction. */
export type MacOf = (covered: Uint8Array) => Uint8Array;

/** Write a frame, and its MAC. @throws {FrameError} as `encodeFrame` */
export function sealExchange(frame: Omit<ExchangeFrame, "kind">, macOf: MacOf): Uint8Array {
  return addMac(encodeFrame({ kind: "exchange", ...frame }), macOf);
}

/** Read a frame whose MAC is right. @throws {JobError} `peer-left`; {FrameError} as `decodeFrame` */
export function openExchange(bytes: Uint8Array, macOf: MacOf): ExchangeFrame {
  const parts = splitMac(bytes);
  if (parts === undefined || !timingSafeEqual(macOf(parts.covered).subarray(0, MAC_BYTES), parts.mac)) {
    throw refused("without a right MAC");
  }
  const frame = decodeFrame(parts.frame);
  if (frame.kind !== "exchange") throw refused(`of the kind ${frame.kind}`);
  return frame;
}

function refused(what: string): JobError {
  return new JobError("peer-left", `a frame ${what} on the channel of a job`, "nothing: the connection is closed");
}
