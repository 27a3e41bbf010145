import { createHash } from "node:crypto";
import { murmur3 } from "@lockstep/protocol";
import { loadCore } from "./core.ts";

/** Bound of every channel of the test, sample units. */
const BOUND = 64;
/** The draws are cut down to four sizes of signal, row by row. */
const LEAST_SHIFT = 12;
const SHIFTS = 4;
const SHIFT_STEP = 4;

/**
 * What a module makes of samples that follow from a seed: a manifest carries it, and the device that is to run the module
 * finds it once more on itself.
 *
 * @param module  bytes of `device.wasm`
 * @param channels  1 … 16
 * @param samples  1 … 65,535, per channel
 * @param seed  u32
 * @returns SHA-256, 64 lower-case hexadecimal digits
 * @throws {ModuleError} when the bytes are not a module that may run as a codec
 * @throws {CodecError} when it refuses the samples
 * @throws {WebAssembly.RuntimeError} when it traps
 * @see protocol/SPEC.md, section 8.2
 */
export function selfTestDigest(module: Uint8Array, channels: number, samples: number, seed: number): string {
  const core = loadCore(module);
  const setting = { e: BOUND, lattice: 1, historyShift: 0 };
  const encoder = core.createEncoder(core.configure(Array.from({ length: channels }, () => setting)));
  const rows = new Int32Array(samples * channels);
  const place = new Uint32Array(2);
  for (let t = 0; t < samples; t++) {
    for (let c = 0; c < channels; c++) {
      place.set([t, c]);
      const drawn = murmur3(seed, littleEndian(place)) | 0;
      rows[t * channels + c] = drawn >> (LEAST_SHIFT + (t % SHIFTS) * SHIFT_STEP);
    }
  }
  const { payload, refusal } = encoder.encode(rows);
  if (refusal !== undefined) throw refusal;
  const hash = littleEndian(Uint32Array.of(encoder.hash()));
  return createHash("sha256").update(payload).update(hash).digest("hex");
}

function littleEndian(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
  return bytes;
}
