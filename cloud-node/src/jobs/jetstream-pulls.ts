import { type Msg, nanos } from "@nats-io/transport-node";
import type { Clock, Timer } from "../clock.ts";
import { JetStreamAnswers } from "./jetstream-answers.ts";
import type { KeptJob } from "./jetstream-jobs.ts";
import { type JetStreamNames, makeConsumer } from "./jetstream-names.ts";
import type { NatsLink } from "./nats-link.ts";

/** One message of the work queue: somebody is to look at a job. */
export interface WorkMessage {
  readonly id: string;
  /** How the job stood when the message was sent; undefined: it does not say. */
  readonly kept: KeptJob | undefined;
  /** Nobody has to look again. */
  ack(): void;
  /** Hand it out again, after a time. @param ms  0: now */
  nak(ms: number): void;
  /** It is being worked on: not again for a lease time. */
  working(): void;
}

/** One question waits at the server for so long, ms. */
const PULL_MS = 5_000;
const ANSWER_MS = 2_000;
/** Where the server cannot be asked, it is asked again after so long, ms. */
const AGAIN_MS = 250;
/** A message that came for one who waited, and whom something else woke: others get it after so long, ms. */
const KEEP_MS = 500;

interface Ready {
  readonly workload: string;
  readonly message: WorkMessage;
  readonly timer: Timer;
}

interface Waiting {
  readonly workloads: ReadonlySet<string>;
  wake(): void;
}

/** Takes messages from the work queue, those that are there and those that come. */
export class JetStreamPulls {
  readonly #link: NatsLink;
  readonly #names: JetStreamNames;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #consumers = new Map<string, Promise<void>>();
  readonly #answers = new Map<string, JetStreamAnswers>();
  readonly #ready = new Set<Ready>();
  readonly #asked = new Set<string>();
  readonly #waiting = new Set<Waiting>();
  #isClosed = false;

  constructor(link: NatsLink, names: JetStreamNames, clock: Clock, leaseMs: number) {
    this.#link = link;
    this.#names = names;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** A message that is there now. @throws whatever NATS says */
  async take(workload: string): Promise<WorkMessage | undefined> {
    for (const ready of this.#ready) {
      if (ready.workload !== workload) continue;
      this.#ready.delete(ready);
      ready.timer.cancel();
      return ready.message;
    }
    // Whoever waits there would have it already.
    if (this.#asked.has(workload)) return undefined;
    return this.#ask(workload, { no_wait: true }, ANSWER_MS);
  }

  /** Wait until there may be a message of one of these workloads. */
  async wait(workloads: readonly string[], ms: number, signal: AbortSignal): Promise<void> {
    const isReady = [...this.#ready].some(({ workload }) => workloads.includes(workload));
    if (this.#isClosed || signal.aborted || isReady) return;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      const waiting: Waiting = { workloads: new Set(workloads), wake: () => end() };
      const end = () => {
        this.#waiting.delete(waiting);
        signal.removeEventListener("abort", end);
        timer?.cancel();
        resolve();
      };
      this.#waiting.add(waiting);
      signal.addEventListener("abort", end, { once: true });
      timer = this.#clock.setTimer(end, ms);
      for (const workload of workloads) this.#pull(workload);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const { message, timer } of this.#ready) {
      timer.cancel();
      message.nak(0);
    }
    this.#ready.clear();
    for (const { wake } of this.#waiting) wake();
  }

  /** Have a question at the server for as long as somebody waits for its answer. */
  #pull(workload: string): void {
    if (this.#isClosed || this.#asked.has(workload) || !this.#isWanted(workload)) return;
    this.#asked.add(workload);
    this.#ask(workload, { expires: nanos(PULL_MS) }, PULL_MS + ANSWER_MS)
      .then(
        (message) => this.#receive(workload, message),
        () => new Promise<void>((resolve) => this.#clock.setTimer(resolve, AGAIN_MS)),
      )
      .finally(() => {
        this.#asked.delete(workload);
        this.#pull(workload);
      });
  }

  #receive(workload: string, message: WorkMessage | undefined): void {
    if (message === undefined) return;
    if (this.#isClosed || !this.#isWanted(workload)) {
      message.nak(0);
      return;
    }
    const timer = this.#clock.setTimer(() => {
      this.#ready.delete(ready);
      message.nak(0);
    }, KEEP_MS);
    const ready: Ready = { workload, message, timer };
    this.#ready.add(ready);
    // One is enough for one message.
    [...this.#waiting].find(({ workloads }) => workloads.has(workload))?.wake();
  }

  #isWanted(workload: string): boolean {
    return [...this.#waiting].some(({ workloads }) => workloads.has(workload));
  }

  async #ask(workload: string, question: object, timeout: number): Promise<WorkMessage | undefined> {
    await this.#consumer(workload);
    const subject = this.#names.nextOf(workload);
    const body = JSON.stringify({ batch: 1, ...question });
    const answer = await this.#answersOf(workload)
      .ask(subject, body, timeout)
      .catch((error) => {
        // Nobody may be there who could answer: the next question sees to it.
        this.#consumers.delete(workload);
        throw error;
      });
    const status = answer.headers?.code ?? 0;
    if (status === 0) return this.#messageOf(answer);
    // The consumer is gone, whoever removed it: the next question makes it anew.
    if (status === 409) this.#consumers.delete(workload);
    return undefined;
  }

  #answersOf(workload: string): JetStreamAnswers {
    const known = this.#answers.get(workload);
    if (known !== undefined) return known;
    // Nobody waits for what comes late: others are to have it at once.
    const answers = new JetStreamAnswers(this.#link.connection, (message) => this.#messageOf(message).nak(0));
    this.#answers.set(workload, answers);
    return answers;
  }

  async #consumer(workload: string): Promise<void> {
    const made = this.#consumers.get(workload) ?? makeConsumer(this.#link, this.#names, workload, this.#leaseMs);
    this.#consumers.set(workload, made);
    await made.catch((error) => {
      this.#consumers.delete(workload);
      throw error;
    });
  }

  #messageOf(message: Msg): WorkMessage {
    // Of a connection that is closed nothing can be sent; then the message is handed out again after a lease time.
    const say = (text: string) => {
      if (!this.#link.connection.isClosed()) message.respond(text);
    };
    const id = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    return {
      id,
      kept: keptIn(message, id),
      ack: () => say("+ACK"),
      nak: (ms) => say(ms <= 0 ? "-NAK" : `-NAK ${JSON.stringify({ delay: nanos(ms) })}`),
      working: () => say("+WPI"),
    };
  }
}

/** A message may be anybody's: what it does not say is looked up. */
function keptIn(message: Msg, id: string): KeptJob | undefined {
  try {
    const kept = message.json<KeptJob>();
    return kept.record.id === id && Number.isSafeInteger(kept.revision) ? kept : undefined;
  } catch {
    return undefined;
  }
}
