import { loadCore } from "@lockstep/edge-sdk/core";
import {
  type BirthFrame,
  decodeFrame,
  encodeFrame,
  isSequenced,
  type SequencedFrame,
  sequencedSeal,
} from "@lockstep/protocol";
import { DEVICE_WASM } from "../test-device.suite.ts";

/** The codec that the devices of these tests run. */
export const DEVICE_CORE = loadCore(DEVICE_WASM);

/** What devices of these tests have in common; a ring of their own they have not. */
const BIRTH = { kind: "birth", model: DEVICE_CORE.modelId, silenceMs: 1_000, ringBytes: 32_768, firmware: "" } as const;

/** What a device says when it introduces itself. */
export function testBirth(
  own: Pick<BirthFrame, "device" | "nonce" | "epoch" | "frameSamples" | "periodNs" | "channels"> & Partial<BirthFrame>,
): BirthFrame {
  return { ...BIRTH, ...own };
}

/** A channel of codec units that are its values. */
export function testChannel(name: string, e: number, own: Partial<BirthFrame["channels"][number]> = {}) {
  const scale = { offset: 0, mantissa: 1, exponent: 0, epsMantissa: Math.max(1, e), epsExponent: 0 };
  return { name, unit: "", e, lattice: 1, historyShift: 0, ...scale, ...own };
}

/** A frame as a device sends it: sealed with the state that its codec has after it. */
export function sealFrame(
  unsealed: SequencedFrame,
  { device, epoch }: BirthFrame,
  seq: number,
  stateHash: number,
): { readonly frame: SequencedFrame; readonly bytes: Uint8Array } {
  const seal = sequencedSeal(encodeFrame(unsealed), device, epoch, seq, stateHash);
  const bytes = encodeFrame({ ...unsealed, seal });
  const frame = decodeFrame(bytes);
  if (!isSequenced(frame)) throw new RangeError(frame.kind);
  return { frame, bytes };
}
