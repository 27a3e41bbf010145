import { createHash } from "node:crypto";
import type { Core } from "@lockstep/edge-sdk/core";
import { murmur3, type SelfTest } from "@lockstep/protocol";

/** So many that every expert has learned something, and so few that a small device has done them at once. */
const CHANNELS = 2;
const SAMPLES = 64;
/** Of the test's channels: the bound in sample units. */
const BOUND = 2 ** 6;

/**
 * What a module computes on samples that follow from a seed: a device that comes to another digest would be another
 * codec than the cloud's.
 *
 * @param seed  u32
 * @see protocol/SPEC.md, section 8
 */
export function selfTestOf(core: Core, seed: number): SelfTest {
  const setting = { e: BOUND, lattice: 1, historyShift: 0 };
  const encoder = core.createEncoder(core.configure(Array.from({ length: CHANNELS }, () => setting)));
  const samples = new Int32Array(SAMPLES * CHANNELS);
  const place = new DataView(new ArrayBuffer(8));
  for (let t = 0; t < SAMPLES; t++) {
    for (let c = 0; c < CHANNELS; c++) {
      place.setUint32(0, t, true);
      place.setUint32(4, c, true);
      const drawn = murmur3(seed, new Uint8Array(place.buffer)) | 0;
      samples[t * CHANNELS + c] = drawn >> (12 + (t % 4) * 4);
    }
  }
  const { payload } = encoder.encode(samples);
  const hash = new Uint8Array(4);
  new DataView(hash.buffer).setUint32(0, encoder.hash(), true);
  const digest = createHash("sha256").update(payload).update(hash).digest("hex");
  return { channels: CHANNELS, samples: SAMPLES, seed, digest };
}
