import { readFileSync } from "node:fs";
import { loadBatchCore, type PayloadEncoder } from "@lockstep/edge-sdk/core";
import { type BirthFrame, birthHash, encodeFrame, position, type SequencedFrame } from "@lockstep/protocol";
import { DEVICE_WASM, SeededRandom } from "../test-device.suite.ts";
import { type BirthPlan, planBirth } from "./birth-plan.ts";
import { ModuleRegistry } from "./module-registry.ts";
import { DEVICE_CORE, sealFrame, testBirth, testChannel } from "./sealed-frame.suite.ts";

/** A frame on its way, with what it says. */
export interface EncodedFrame {
  readonly seq: number;
  readonly frame: SequencedFrame;
  readonly bytes: Uint8Array;
  /** Shape (rows, channels): the integers that went in, those of the quiet samples before it included. */
  readonly samples: number[];
}

const CHANNELS = 2;
const BOUND = 4;
const FRAME_SAMPLES = 10;
const PERIOD_NS = 1_000_000;
const SILENCE_MS = 1_000;
/** The same codec, with an encoder that looks ahead. */
const batch = loadBatchCore(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/batch.wasm"))));

/** The registry that knows the module of these devices. */
export function testModules(): ModuleRegistry {
  const modules = new ModuleRegistry();
  modules.add(DEVICE_WASM);
  return modules;
}

/** Frames as a device would make them, written with the codec and the protocol alone: no link, no ring, no pacing. */
export class EncodedDevice {
  readonly birth: BirthFrame;
  readonly birthBytes: Uint8Array;
  readonly epoch: number;
  readonly #random: SeededRandom;
  readonly #encoder: PayloadEncoder;
  readonly #isSmooth: boolean;
  #slope = [0, 0];
  readonly #decoder = DEVICE_CORE.createDecoder(DEVICE_CORE.configure(this.#channels()));
  #seq = 0;
  #rows = 0;
  #level = [0, 0];
  #quiet: number[] = [];

  /** @param isSmooth  its channels follow ramps, and its encoder puts them on lines */
  constructor(
    seed: number,
    { epoch = 1, nonce = 77, device = "unit", periodNs = PERIOD_NS, silenceMs = SILENCE_MS, isSmooth = false } = {},
  ) {
    this.#isSmooth = isSmooth;
    this.#encoder = isSmooth
      ? batch.createEncoder(batch.configure(this.#channels()), { lookahead: "programme" })
      : DEVICE_CORE.createEncoder(DEVICE_CORE.configure(this.#channels()));
    this.#random = new SeededRandom(seed);
    this.epoch = epoch;
    const frames = { frameSamples: FRAME_SAMPLES, periodNs, silenceMs };
    this.birth = testBirth({ device, nonce, epoch, ...frames, channels: this.#channels() });
    this.birthBytes = encodeFrame(this.birth);
  }

  plan(): BirthPlan {
    const plan = planBirth(this.birth, testModules());
    if (typeof plan === "string") throw new RangeError(plan);
    return plan;
  }

  /** Start a segment. */
  keyframe(): EncodedFrame {
    this.#encoder.reset();
    this.#decoder.reset();
    this.#quiet = [];
    const samples = this.#draw();
    const timeUs = Math.floor((this.#rows * this.birth.periodNs) / 1000);
    const { payload, hasEvents, hasLines } = this.#encoder.encode(Int32Array.from(samples));
    this.#decoder.decode(payload, FRAME_SAMPLES, { hasEvents, hasLines });
    this.#rows += FRAME_SAMPLES;
    const head = { epoch: this.epoch, seq: this.#seq, birthHash: birthHash(this.birth), timeUs, lattices: 0 };
    return this.#seal({ kind: "keyframe", ...head, samples: 0, hasEvents, hasLines, payload, seal: 0 }, samples);
  }

  /** Go on with a segment. */
  residual(): EncodedFrame {
    const samples = this.#draw();
    const quiet = this.#quiet.length / CHANNELS;
    const { payload, hasEvents, hasLines } = this.#encoder.encode(Int32Array.from(samples));
    this.#decoder.decode(payload, FRAME_SAMPLES, { hasEvents, hasLines });
    this.#rows += FRAME_SAMPLES;
    const all = [...this.#quiet, ...samples];
    this.#quiet = [];
    const at = position(this.epoch, this.#seq);
    return this.#seal(
      { kind: "residual", position: at, quiet, samples: 0, hasEvents, hasLines, payload, seal: 0 },
      all,
    );
  }

  /** Let samples pass that the codec foresees, and say so. */
  heartbeat(): EncodedFrame {
    const rows = 1 + this.#random.below(20);
    for (let row = 0; row < rows; row++) this.#quiet.push(...this.#decoder.replayQuiet(1));
    this.#encoder.restoreState(this.#decoder.saveState());
    this.#level = this.#quiet.slice(-CHANNELS);
    this.#rows += rows;
    const samples = this.#quiet;
    this.#quiet = [];
    const timeUs = Math.floor((this.#rows * this.birth.periodNs) / 1000);
    const at = position(this.epoch, this.#seq);
    return this.#seal({ kind: "heartbeat", position: at, quiet: rows, timeUs, ringFill: 10, seal: 0 }, samples);
  }

  /** `count` frames: a keyframe first and then now and again. */
  frames(count: number): EncodedFrame[] {
    return Array.from({ length: count }, (_, i) => {
      const draw = this.#random.below(20);
      if (i === 0 || draw === 0) return this.keyframe();
      return draw < 4 ? this.heartbeat() : this.residual();
    });
  }

  /** Samples pass that nobody will ever hear of. */
  lose(rows: number): void {
    this.#rows += rows;
  }

  #draw(): number[] {
    return Array.from({ length: FRAME_SAMPLES * CHANNELS }, (_, i) => {
      const c = i % CHANNELS;
      if (this.#isSmooth && this.#random.below(40) === 0) this.#slope[c] = this.#random.below(41) - 20;
      const step = this.#isSmooth ? (this.#slope[c] ?? 0) : this.#random.below(61) - 30;
      const next = (this.#level[c] ?? 0) + step;
      this.#level[c] = next;
      return next;
    });
  }

  #seal(unsealed: SequencedFrame, samples: number[]): EncodedFrame {
    const seq = this.#seq;
    const { frame, bytes } = sealFrame(unsealed, this.birth, seq, this.#decoder.hash());
    this.#seq += 1;
    return { seq, frame, bytes, samples };
  }

  #channels() {
    return Array.from({ length: CHANNELS }, (_, c) => testChannel(`c${c}`, BOUND));
  }
}

/** The channels' error bound, in their unit. */
export const ENCODED_BOUND = BOUND;
