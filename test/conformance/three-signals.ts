/**
 * The signals of `three-signals.h`, written a second time: what they are is said there.
 */

/** Channels of every signal. */
export const SIGNAL_CHANNELS = 6;
/** Rows of a frame. */
export const FRAME_ROWS = 100;

/** How one channel is coded: bound, spacing of its samples, history shift. */
export type SignalBound = readonly [e: number, lattice: number, historyShift: number];

/** One row: a sample and a status for every channel. */
export interface SignalRow {
  readonly samples: readonly number[];
  /** 0 ok, 1 invalid, 2 saturated; all ok unless the row's frame has events. */
  readonly statuses: readonly number[];
}

/** A signal by name, as it is coded. */
export interface ThreeSignal {
  readonly name: string;
  /** One for each channel. */
  readonly bounds: readonly SignalBound[];
  /** Rows without end, the same every time. */
  rows(): Generator<SignalRow, never>;
}

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);
const FIRST_SEED = 20_261;
const EVENT_FRAMES = 4;

/** The three, in the order of their seeds. */
export const THREE_SIGNALS: readonly ThreeSignal[] = [
  { name: "rotor", bounds: everyChannel([8388, 1, 2]), sampleOf: rotor },
  {
    name: "walk",
    bounds: [
      [8388, 1, 3],
      [8388, 1, 3],
      [65_536, 1, 0],
      [100, 1, 9],
      [120, 50, 8],
      [0, 1, 17],
    ] as const,
    sampleOf: walk,
  },
  { name: "bursts", bounds: everyChannel([8388, 1, 11]), sampleOf: bursts },
].map(({ name, bounds, sampleOf }, place) => ({
  name,
  bounds,
  rows: () => rowsOf(new Noise(FIRST_SEED + place), sampleOf),
}));

/** Whether statuses are coded in a frame, counted from 0. */
export function hasEvents(frame: number): boolean {
  return (frame + 1) % EVENT_FRAMES === 0;
}

/** xorshift32. @see Marsaglia 2003, "Xorshift RNGs", the triple (13, 17, 5) */
class Noise {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** The first bits of the next number, 0..2^count - 1. */
  bits(count: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return Math.floor((this.#state >>> 0) / 2 ** (32 - count));
  }

  /** -2^(count - 1) .. 2^(count - 1) - 1. */
  symmetric(count: number): number {
    return this.bits(count) - 2 ** (count - 1);
  }
}

/** What makes the sample of channel c in row t; called in the order of rows and channels. */
type SampleOf = (noise: Noise) => (t: number, c: number) => number;

function everyChannel(bound: SignalBound): readonly SignalBound[] {
  return Array.from({ length: SIGNAL_CHANNELS }, () => bound);
}

function* rowsOf(noise: Noise, sampleOf: SampleOf): Generator<SignalRow, never> {
  const next = sampleOf(noise);
  for (let t = 0; ; t++) {
    const samples: number[] = [];
    const statuses: number[] = [];
    for (let c = 0; c < SIGNAL_CHANNELS; c++) {
      const sample = next(t, c);
      samples.push(sample);
      statuses.push(hasEvents(Math.floor(t / FRAME_ROWS)) ? statusOf(sample, noise) : 0);
    }
    yield { samples, statuses };
  }
}

function statusOf(sample: number, noise: Noise): number {
  const isInvalid = noise.bits(6) === 0;
  if (sample === INT32_MAX || sample === INT32_MIN) return 2;
  return isInvalid ? 1 : 0;
}

function rotor(noise: Noise): (t: number, c: number) => number {
  const one = 2 ** 30;
  const vectors = [0.61, 0.173, 0.0417].map((turn) => ({
    cosine: BigInt(Math.round(one * Math.cos(turn))),
    sine: BigInt(Math.round(one * Math.sin(turn))),
    x: 2n ** 22n,
    y: 0n,
  }));
  /** Halves go up. */
  const rounded = (sum: bigint) => (sum + 2n ** 29n) >> 30n;
  return (_t, c) => {
    const vector = vectors[c >> 1];
    if (vector === undefined) throw new RangeError(`no channel ${c}`);
    if (c % 2 === 0) {
      const { x, y, cosine, sine } = vector;
      vector.x = rounded(cosine * x - sine * y);
      vector.y = rounded(sine * x + cosine * y);
    }
    return Number(c % 2 === 0 ? vector.x : vector.y) + noise.symmetric(15);
  };
}

function startLevels(): number[] {
  return Array.from({ length: SIGNAL_CHANNELS }, (_, c) => 1_000_000 * (c + 1));
}

function walk(noise: Noise): (t: number, c: number) => number {
  const levels = startLevels();
  return (_t, c) => {
    const level = (levels[c] ?? 0) + noise.symmetric(16);
    levels[c] = level;
    return c === 4 ? 50 * Math.trunc(level / 64) : level;
  };
}

function bursts(noise: Noise): (t: number, c: number) => number {
  const levels = startLevels();
  return (t, c) => {
    const [small, large] = [noise.symmetric(10), noise.symmetric(28)];
    const place = t % 1000;
    if (place === 100 + 37 * c || (place >= 700 && place < 710)) return INT32_MAX;
    if (place === 400 + 37 * c) return INT32_MIN;
    return (levels[c] ?? 0) + (t % 512 < 448 ? small : large);
  };
}
