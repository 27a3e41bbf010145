/** How fast a threshold follows the bytes of the last message, and what all messages together are over or under. */
const FOLLOW = 0.3;
const SETTLE = 0.01;
/** A threshold changes at most so many times at once. */
const MOST_CHANGE = 4;
/** Messages that can be owed at most: what came out too long early on is not saved up for ever. */
const MOST_OWED = 8;
/** Thresholds stay within what a message can say: gradients of nothing but zeros have one too. */
const LEAST = 2 ** -60;
const MOST = 2 ** 60;

/** Keeps a worker's messages near a number of bytes by moving its threshold, which travels: nobody else has to know. */
export class ByteBudget {
  /** Shape (2): the threshold of the next message, 0 until it is begun; messages' worth of bytes spent too much. */
  readonly state = new Float32Array(2);
  readonly #bytes: number;

  /** @param bytes  wanted for a message, on average */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** 0 until it is begun. */
  get threshold(): number {
    return this.state[0] ?? 0;
  }

  begin(threshold: number): void {
    this.state[0] = bounded(threshold);
  }

  /** A message came out so long. */
  spent(bytes: number): void {
    const part = bytes / this.#bytes;
    const owed = Math.min(MOST_OWED, Math.max(-MOST_OWED, (this.state[1] ?? 0) + part - 1));
    const change = part ** FOLLOW * Math.exp(SETTLE * owed);
    const within = Math.min(MOST_CHANGE, Math.max(1 / MOST_CHANGE, change));
    this.state.set([this.threshold === 0 ? 0 : bounded(this.threshold * within), owed]);
  }
}

function bounded(threshold: number): number {
  return Math.min(MOST, Math.max(LEAST, threshold));
}
