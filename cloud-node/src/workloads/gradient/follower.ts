import { setImmediate } from "node:timers/promises";
import { JobError } from "../../jobs/job-error.ts";
import type { BatchSource } from "../language-model/batch.ts";
import type { ExchangeLink } from "./exchange-link.ts";
import { type DownMessage, decodeDown, encodeContribution, encodeReady } from "./exchange-message.ts";
import { GradientError } from "./gradient-error.ts";
import type { Replica } from "./replica.ts";

export interface FollowerOptions {
  readonly replica: Replica;
  /** Of all workers together, from the first one on. */
  readonly batches: BatchSource;
  readonly steps: number;
  /** Told after each round. @param isIn  whether the own contribution was in it */
  readonly onRound: (step: number, isIn: boolean) => Promise<void>;
}

/**
 * Any place of an all-reduce but 0. It makes every update that place 0 sends, in order, whether its own contribution was in
 * it or not; as long as it is not, it says after each how far it is, and is told at which step it takes part again.
 */
export class Follower {
  readonly #link: ExchangeLink;
  readonly #options: FollowerOptions;
  /** The next one to be made; batches are drawn up to `#drawn`. */
  #step = 0;
  #drawn = 0;
  /** What was sent for the round that is waited for. */
  #own: Uint8Array | undefined;
  /** Whether it was let in: a round that comes before was meant for whoever had the place. */
  #isIn = false;

  constructor(link: ExchangeLink, options: FollowerOptions) {
    this.#link = link;
    this.#options = options;
  }

  /**
   * Train to the last step.
   *
   * @throws {JobError} `peer-left` when place 0 is gone; {GradientError} for what workers of one release do not say
   */
  async run(): Promise<void> {
    await this.#sayReady();
    while (this.#step < this.#options.steps) {
      const news = await this.#link.receive();
      if (news.from !== 0) continue;
      if (news.kind !== "message")
        throw new JobError("peer-left", "place 0 is gone", "nothing: the job is tried again");
      const down = decodeDown(news.message);
      if (down.kind === "go") await this.#go(down);
      else if (this.#isIn) await this.#update(down);
    }
  }

  async #go({ step, state }: DownMessage & { readonly kind: "go" }): Promise<void> {
    if (state !== undefined) this.#options.replica.restore(state);
    else if (step !== this.#step) throw outOfStep(`to go on at step ${step}`, this.#step);
    this.#step = step;
    this.#isIn = true;
    await this.#contribute();
  }

  async #update({ step, contributions }: DownMessage & { readonly kind: "round" }): Promise<void> {
    const { replica, steps, onRound } = this.#options;
    if (!replica.isLast(step) || !replica.isSameRound(step, this.#step)) throw outOfStep(`round ${step}`, this.#step);
    await replica.apply(step, contributions, this.#own);
    const isIn = contributions.some(({ rank }) => rank === this.#link.rank);
    this.#own = undefined;
    this.#step = step + 1;
    await onRound(step, isIn);
    if (this.#step >= steps) return;
    if (isIn) await this.#contribute();
    else await this.#sayReady();
  }

  /** Learn up to the end of a round, and send what that came to. */
  async #contribute(): Promise<void> {
    const { replica, batches } = this.#options;
    for (; this.#drawn < this.#step; this.#drawn += 1) batches.next();
    for (let step = this.#step; ; step += 1) {
      // Whoever shares this thread gets a turn.
      await setImmediate();
      const loss = await replica.learn(batches.next(), step);
      this.#drawn += 1;
      if (replica.isLast(step)) {
        this.#own = await replica.contribution(step);
        await this.#link.send(0, encodeContribution(step, { loss, bytes: this.#own }));
        return;
      }
      await replica.stepAlone(step);
    }
  }

  async #sayReady(): Promise<void> {
    await this.#link.send(0, encodeReady(this.#step));
  }
}

function outOfStep(what: string, step: number): GradientError {
  return new GradientError("other-step", `${what} where step ${step} is next`, "nothing: this worker begins again");
}
