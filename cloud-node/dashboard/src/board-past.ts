import type { BucketsAnswer } from "../../src/api/schemas/history-schema.ts";
import type { TruthBucketsAnswer } from "../../src/api/schemas/truth-schema.ts";
import { type AskFailure, HistoryClient } from "./history-client.ts";
import type { LaneRun } from "./lane-run.ts";
import type { TimeSpan } from "./time-span.ts";

/** While a finger or a wheel moves, only every so often is asked. */
const ASK_AFTER_MS = 80;

/** What is asked for. */
export interface PastQuestion {
  readonly span: TimeSpan;
  /** Of the plots, CSS pixels. */
  readonly widthPx: number;
  /** Names; none: nothing is asked. */
  readonly channels: readonly string[];
  /** Whether the truth is on show beside them. */
  readonly hasTruth: boolean;
}

/** The past that the lanes show: asked for once a person stops moving, thrown away when time runs again. */
export class BoardPast {
  readonly #client: HistoryClient;
  readonly #truthClient: HistoryClient<TruthBucketsAnswer>;
  readonly #question: () => PastQuestion | undefined;
  readonly #changed: (isAnswer: boolean) => void;
  #answer: BucketsAnswer | undefined;
  #truth: TruthBucketsAnswer | undefined;
  #failure: AskFailure | undefined;
  #isLoading = false;
  #timer = 0;

  /**
   * @param question  what is on show now; undefined: nothing of the past
   * @param changed  told when something came, and whether it is an answer
   */
  constructor(device: string, question: () => PastQuestion | undefined, changed: (isAnswer: boolean) => void) {
    this.#client = new HistoryClient(device);
    this.#truthClient = new HistoryClient(device, "truth");
    this.#question = question;
    this.#changed = changed;
  }

  get answer(): BucketsAnswer | undefined {
    return this.#answer;
  }

  /** What was really measured in what is on show; undefined: not known, or not asked for. */
  get truth(): TruthBucketsAnswer | undefined {
    return this.#truth;
  }

  get failure(): AskFailure | undefined {
    return this.#failure;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Ask soon; what was asked before is not wanted any more. */
  askSoon(): void {
    window.clearTimeout(this.#timer);
    this.#cancel();
    this.#isLoading = true;
    this.#timer = window.setTimeout(() => void this.ask(), ASK_AFTER_MS);
  }

  /** Ask now. */
  async ask(): Promise<void> {
    const question = this.#question();
    if (question === undefined || question.channels.length === 0) return;
    this.#isLoading = true;
    if (question.hasTruth) void this.#askTruth(question);
    const asked = await this.#client.load(question.span, question.widthPx, question.channels);
    if (asked === undefined || this.#question() === undefined) return;
    this.#isLoading = false;
    this.#failure = "failure" in asked ? asked.failure : undefined;
    if ("answer" in asked) this.#answer = asked.answer;
    this.#changed("answer" in asked);
  }

  /** The picture does not wait for it. */
  async #askTruth({ span, widthPx }: PastQuestion): Promise<void> {
    const asked = await this.#truthClient.load(span, widthPx, []);
    if (asked === undefined || this.#question() === undefined) return;
    this.#truth = "answer" in asked ? asked.answer : undefined;
    if (this.#answer !== undefined) this.#changed(true);
  }

  #cancel(): void {
    this.#client.cancel();
    this.#truthClient.cancel();
  }

  /** Forget it all. */
  clear(): void {
    window.clearTimeout(this.#timer);
    this.#cancel();
    this.#answer = undefined;
    this.#truth = undefined;
    this.#failure = undefined;
    this.#isLoading = false;
  }

  /** Stretches of one channel that are no plain signal. */
  runsOf(name: string): LaneRun[] {
    return this.#answer?.runs.filter(({ channel }) => channel === null || channel === name) ?? [];
  }

  /** Whether something that is on show was asked for again, and may be here now. */
  get isPending(): boolean {
    return !this.#isLoading && this.#answer?.runs.some(({ kind }) => kind === "gap-pending") === true;
  }
}
