import type { FramePlace } from "./frame-trial.ts";

/** Frames for a thread, as arrays that are handed over rather than copied. */
export interface PackedTrials {
  /** Shape (n, TRIAL_FIELDS): plan, epoch, seq, then the bytes of the device's name, of the frame, of the codec's state. */
  readonly fields: Uint32Array<ArrayBuffer>;
  /** Of each trial in turn: the name, the frame, the state. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What became of each of them, in the same order. */
export interface PackedResults {
  /** Shape (n, RESULT_FIELDS): whether it is proved, rows, channels, whether statuses were coded, bytes of the state. */
  readonly fields: Uint32Array<ArrayBuffer>;
  readonly samples: Int32Array<ArrayBuffer>;
  readonly statuses: Uint8Array<ArrayBuffer>;
  /** The codec's states after the frames that are proved. */
  readonly states: Uint8Array<ArrayBuffer>;
}

/** One frame as a thread takes it out. */
export interface UnpackedTrial {
  readonly plan: number;
  readonly place: FramePlace;
  readonly frame: Uint8Array;
  readonly state: Uint8Array;
}

/** One result as it is taken out. */
export interface UnpackedResult {
  readonly isProved: boolean;
  readonly channels: number;
  /** Shape (rows, channels). */
  readonly samples: Int32Array;
  /** Shape (rows, channels); undefined when all are ok. */
  readonly statuses: Uint8Array | undefined;
  readonly state: Uint8Array;
}

const TRIAL_FIELDS = 6;
const RESULT_FIELDS = 5;
const FIRST_TRIALS = 64;
const FIRST_BYTES = 1 << 17;

/** An array that grows as it is filled. */
class Filling<T extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>> {
  #array: T;
  #length = 0;
  readonly #create: (length: number) => T;

  constructor(create: (length: number) => T, first: number) {
    this.#create = create;
    this.#array = create(first);
  }

  append(values: ArrayLike<number>): void {
    const end = this.#length + values.length;
    if (end > this.#array.length) {
      const grown = this.#create(Math.max(end, 2 * this.#array.length));
      grown.set(this.#array.subarray(0, this.#length));
      this.#array = grown;
    }
    this.#array.set(values, this.#length);
    this.#length = end;
  }

  finish(): T {
    return this.#array.slice(0, this.#length) as T;
  }
}

const bytesOf = () => new Filling((length) => new Uint8Array(length), FIRST_BYTES);
const wordsOf = (fields: number) => new Filling((length) => new Uint32Array(length), FIRST_TRIALS * fields);

/** Packs frames for a thread. */
export class TrialBatch {
  readonly #fields = wordsOf(TRIAL_FIELDS);
  readonly #bytes = bytesOf();

  /** @param plan  the number under which the thread was told what decodes it */
  add(plan: number, { device, epoch, seq }: FramePlace, frame: Uint8Array, state: Uint8Array): void {
    // Names are ASCII: a birth with another one is refused.
    const name = Buffer.from(device, "latin1");
    this.#fields.append([plan, epoch, seq, name.length, frame.length, state.length]);
    this.#bytes.append(name);
    this.#bytes.append(frame);
    this.#bytes.append(state);
  }

  finish(): PackedTrials {
    return { fields: this.#fields.finish(), bytes: this.#bytes.finish() };
  }
}

/** The frames of a batch; their arrays are views of it. */
export function* unpackTrials({ fields, bytes }: PackedTrials): Generator<UnpackedTrial> {
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  for (let row = 0; row < fields.length; row += TRIAL_FIELDS) {
    const [plan = 0, epoch = 0, seq = 0, nameBytes = 0, frameBytes = 0, stateBytes = 0] = fields.subarray(row);
    const device = Buffer.from(bytes.buffer, bytes.byteOffset + at, nameBytes).toString("latin1");
    at += nameBytes;
    yield { plan, place: { device, epoch, seq }, frame: take(frameBytes), state: take(stateBytes) };
  }
}

/** Packs what became of frames. */
export class ResultBatch {
  readonly #fields = wordsOf(RESULT_FIELDS);
  readonly #samples = new Filling((length) => new Int32Array(length), FIRST_BYTES / 4);
  readonly #statuses = bytesOf();
  readonly #states = bytesOf();

  add({ isProved, channels, samples, statuses, state }: UnpackedResult): void {
    const rows = samples.length / channels;
    this.#fields.append([isProved ? 1 : 0, rows, channels, statuses === undefined ? 0 : 1, state.length]);
    this.#samples.append(samples);
    if (statuses !== undefined) this.#statuses.append(statuses);
    this.#states.append(state);
  }

  finish(): PackedResults {
    const [fields, samples] = [this.#fields.finish(), this.#samples.finish()];
    return { fields, samples, statuses: this.#statuses.finish(), states: this.#states.finish() };
  }
}

/** The results of a batch; their arrays are views of it. */
export function* unpackResults({ fields, samples, statuses, states }: PackedResults): Generator<UnpackedResult> {
  let [sampleAt, statusAt, stateAt] = [0, 0, 0];
  for (let row = 0; row < fields.length; row += RESULT_FIELDS) {
    const [proved = 0, rows = 0, channels = 1, hasStatuses = 0, stateBytes = 0] = fields.subarray(row);
    const values = rows * channels;
    const own = hasStatuses === 1 ? statuses.subarray(statusAt, statusAt + values) : undefined;
    yield {
      isProved: proved === 1,
      channels,
      samples: samples.subarray(sampleAt, sampleAt + values),
      statuses: own,
      state: states.subarray(stateAt, stateAt + stateBytes),
    };
    sampleAt += values;
    statusAt += own === undefined ? 0 : values;
    stateAt += stateBytes;
  }
}
