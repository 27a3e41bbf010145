import type { FlashStateFrame } from "@lockstep/protocol";
import type { Clock, Timer } from "../clock.ts";
import type { DeviceDoor } from "./device-door.ts";

/** Asked so often, at these times after the first, ms; then it does not answer. */
const AGAIN_MS = [1_000, 2_500, 5_000] as const;

interface Question {
  readonly answer: Promise<FlashStateFrame | undefined>;
  settle(state: FlashStateFrame | undefined): void;
}

/** Asks devices where they stand, for people who want to know. */
export class StateQuestions {
  readonly #door: DeviceDoor;
  readonly #clock: Clock;
  readonly #open = new Map<string, Question>();

  constructor(door: DeviceDoor, clock: Clock) {
    this.#door = door;
    this.#clock = clock;
  }

  /** Who asks while an answer is awaited gets that one. @returns undefined where none comes */
  ask(device: string): Promise<FlashStateFrame | undefined> {
    const open = this.#open.get(device);
    if (open !== undefined) return open.answer;
    const { promise, resolve } = Promise.withResolvers<FlashStateFrame | undefined>();
    const timers: Timer[] = AGAIN_MS.map((afterMs, i) =>
      this.#clock.setTimer(() => {
        if (i === AGAIN_MS.length - 1) question.settle(undefined);
        else this.#door.send(device, { op: "ask" });
      }, afterMs),
    );
    const question: Question = {
      answer: promise,
      settle: (state) => {
        for (const timer of timers) timer.cancel();
        this.#open.delete(device);
        resolve(state);
      },
    };
    this.#open.set(device, question);
    if (!this.#door.send(device, { op: "ask" })) question.settle(undefined);
    return promise;
  }

  /** @returns whether somebody had asked */
  answered(device: string, state: FlashStateFrame): boolean {
    const question = this.#open.get(device);
    question?.settle(state);
    return question !== undefined;
  }

  close(): void {
    for (const question of this.#open.values()) question.settle(undefined);
  }
}
