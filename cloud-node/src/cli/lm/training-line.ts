import type { Clock } from "@lockstep/edge-sdk";
import type { MetricsRow } from "../../workloads/language-model/metrics-row.ts";
import { BLOCK_ALPHABET, sparkline } from "../demo/sparkline.ts";
import { ProgressLine } from "../progress-line.ts";
import type { OutputStream } from "../surroundings.ts";

/** Characters of the curve. */
const CELLS = 12;

/**
 * A run while it goes on: a line for every evaluation and, on a terminal, one that shows the loss as a curve over the whole run
 * so far.
 */
export class TrainingLine {
  readonly #stream: OutputStream;
  readonly #clock: Clock;
  #progress: ProgressLine;
  /** Losses at steps that are `#every` apart; thinned out when there are too many of them. */
  #curve: number[] = [];
  #every = 1;

  constructor(stream: OutputStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#progress = new ProgressLine(stream, clock, "train", "tokens/s");
  }

  /** Another run begins. @param title  in place of "train" */
  begin(title: string): void {
    this.#progress.clear();
    this.#progress = new ProgressLine(this.#stream, this.#clock, title, "tokens/s");
    this.#curve = [];
    this.#every = 1;
  }

  /** @param loss  smoothed, nats */
  step(step: number, steps: number, loss: number, tokens: number): void {
    if (step % this.#every === 0) this.#curve.push(loss);
    if (this.#curve.length > CELLS) {
      this.#curve = this.#curve.filter((_, at) => at % 2 === 1);
      this.#every *= 2;
    }
    this.#progress.name(`loss ${loss.toFixed(3)} ${sparkline(this.#curve, BLOCK_ALPHABET)}`);
    this.#progress.update(step, steps, tokens);
  }

  evaluation({ step, trainLoss, valLoss, valBitsPerByte }: MetricsRow): void {
    const losses = [trainLoss, valLoss, valBitsPerByte].map((loss) => loss?.toFixed(4) ?? "");
    this.say(`step ${step}: train ${losses[0]}, val ${losses[1]} nats, ${losses[2]} bits per byte`);
  }

  /** While it is judged. @param done, of  batches */
  judging(step: number, steps: number, done: number, of: number): void {
    this.#progress.name(`judged by ${done} of ${of} batches`);
    this.#progress.update(step, steps);
  }

  /** A line that stays. */
  say(text: string): void {
    this.#progress.clear();
    this.#stream.write(`${text}\n`);
  }

  clear(): void {
    this.#progress.clear();
  }
}
