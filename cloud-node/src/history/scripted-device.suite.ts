import { type BirthFrame, birthHash, encodeFrame, position, type SequencedFrame } from "@lockstep/protocol";
import { DEVICE_CORE, sealFrame, testBirth, testChannel } from "../reconstructor/sealed-frame.suite.ts";
import { packSnapshot } from "../reconstructor/twin-snapshot.ts";
import { SeededRandom } from "../test-device.suite.ts";

/** One instant as the device's own decoder reconstructs it: what a history must say. */
export interface TrueRow {
  readonly epoch: number;
  readonly timeUs: number;
  /** Shape (channels), codec units. */
  readonly samples: readonly number[];
  readonly statuses: readonly number[];
}

/** A frame as sent, with the rows that it stands for. */
export interface ScriptedFrame {
  readonly seq: number;
  readonly frame: SequencedFrame;
  readonly bytes: Uint8Array;
  readonly rows: readonly TrueRow[];
}

export interface ScriptOptions {
  readonly seed: number;
  readonly epoch?: number;
  readonly device?: string;
  readonly channels?: number;
  /** Of the first channel; each further one has a sixteenth, down to 0. */
  readonly bound?: number;
  readonly frameSamples?: number;
  readonly periodNs?: number;
  readonly startUs?: number;
}

const STEPS = 40;

/** A device that does what a test says: gaps, clocks that jump, samples that are missing. */
export class ScriptedDevice {
  readonly birth: BirthFrame;
  readonly birthBytes: Uint8Array;
  readonly #random: SeededRandom;
  readonly #encoder;
  readonly #decoder;
  readonly #levels: number[];
  /** Device time of the next sample, and of the running segment's first one; samples since. */
  #timeUs: number;
  #segmentUs = 0;
  #segmentRows = 0;
  #seq = 0;

  constructor({
    seed,
    epoch = 1,
    device = "unit",
    channels = 3,
    bound = 1_000,
    frameSamples = 40,
    periodNs = 10_000_000,
    startUs = 1_700_000_000_123_456,
  }: ScriptOptions) {
    this.#random = new SeededRandom(seed);
    this.#timeUs = startUs;
    this.#levels = Array.from({ length: channels }, () => 0);
    const configs = Array.from({ length: channels }, (_, c) =>
      testChannel(`c${c}`, Math.floor(bound / 16 ** c), { offset: 100 * c, exponent: -c, epsExponent: -c }),
    );
    const config = DEVICE_CORE.configure(configs);
    this.#encoder = DEVICE_CORE.createEncoder(config);
    this.#decoder = DEVICE_CORE.createDecoder(config);
    this.birth = testBirth({ device, nonce: 70 + epoch, epoch, frameSamples, periodNs, channels: configs });
    this.birthBytes = encodeFrame(this.birth);
  }

  get epoch(): number {
    return this.birth.epoch;
  }

  /** Seq of the next frame. */
  get next(): number {
    return this.#seq;
  }

  /** Set the device's clock; the next frame must be a keyframe. */
  setClock(timeUs: number): void {
    this.#timeUs = timeUs;
  }

  get timeUs(): number {
    return this.#timeUs;
  }

  keyframe(flags = false): ScriptedFrame {
    this.#encoder.reset();
    this.#decoder.reset();
    this.#segmentUs = this.#timeUs;
    this.#segmentRows = 0;
    const head = {
      epoch: this.epoch,
      seq: this.#seq,
      birthHash: birthHash(this.birth),
      timeUs: this.#timeUs,
      lattices: 0,
    };
    const { payload, rows } = this.#code(flags);
    return this.#seal({ kind: "keyframe", ...head, samples: 0, ...payload, seal: 0 }, rows);
  }

  residual(flags = false): ScriptedFrame {
    const { payload, rows } = this.#code(flags);
    const at = position(this.epoch, this.#seq);
    return this.#seal({ kind: "residual", position: at, quiet: 0, samples: 0, ...payload, seal: 0 }, rows);
  }

  heartbeat(quiet = this.#random.below(50)): ScriptedFrame {
    const channels = this.#levels.length;
    const rows: TrueRow[] = [];
    for (let row = 0; row < quiet; row++) {
      const samples = [...this.#decoder.replayQuiet(1)];
      for (let c = 0; c < channels; c++) this.#levels[c] = samples[c] ?? 0;
      rows.push(
        this.#row(
          samples,
          samples.map(() => 0),
        ),
      );
    }
    this.#encoder.restoreState(this.#decoder.saveState());
    const at = position(this.epoch, this.#seq);
    return this.#seal({ kind: "heartbeat", position: at, quiet, timeUs: this.#timeUs, ringFill: 10, seal: 0 }, rows);
  }

  /** What a twin would keep of itself now. */
  snapshot(): Uint8Array {
    return packSnapshot({
      birthHash: birthHash(this.birth),
      lattices: 0,
      segmentTimeUs: this.#segmentUs,
      segmentRows: this.#segmentRows,
      counts: { samples: this.#segmentRows, lost: 0, invalid: 0, saturated: 0 },
      state: this.#decoder.saveState(),
    });
  }

  /** Frames made and never sent: their samples pass. */
  skip(frames: number): void {
    for (let i = 0; i < frames; i++) this.residual();
  }

  #code(flags: boolean) {
    const channels = this.#levels.length;
    const rows = this.birth.frameSamples;
    const samples = new Int32Array(rows * channels);
    const statuses = new Uint8Array(rows * channels);
    for (let i = 0; i < samples.length; i++) {
      const c = i % channels;
      const e = this.birth.channels[c]?.e ?? 0;
      this.#levels[c] =
        (this.#levels[c] ?? 0) + Math.round(((this.#random.below(2_001) - 1_000) / 1_000) * (e + 1) * STEPS);
      samples[i] = this.#levels[c] ?? 0;
      if (flags && this.#random.below(20) === 0) statuses[i] = 1 + this.#random.below(2);
    }
    const { payload, hasEvents, hasLines } = this.#encoder.encode(samples, flags ? statuses : undefined);
    const decoded = this.#decoder.decode(payload, rows, { hasEvents, hasLines });
    const all = Array.from({ length: rows }, (_, row) => {
      const at = [row * channels, (row + 1) * channels] as const;
      return this.#row([...decoded.samples.slice(...at)], [...decoded.statuses.slice(...at)]);
    });
    return { payload: { hasEvents, hasLines, payload }, rows: all };
  }

  #row(samples: number[], statuses: number[]): TrueRow {
    const { periodNs } = this.birth;
    const timeUs = this.#segmentUs + Math.round((this.#segmentRows * periodNs) / 1000);
    this.#segmentRows += 1;
    this.#timeUs = this.#segmentUs + Math.round((this.#segmentRows * periodNs) / 1000);
    return { epoch: this.epoch, timeUs, samples, statuses };
  }

  #seal(unsealed: SequencedFrame, rows: readonly TrueRow[]): ScriptedFrame {
    const seq = this.#seq;
    const { frame, bytes } = sealFrame(unsealed, this.birth, seq, this.#decoder.hash());
    this.#seq += 1;
    return { seq, frame, bytes, rows };
  }
}
