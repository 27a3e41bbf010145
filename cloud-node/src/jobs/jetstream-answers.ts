import {
  createInbox,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NoRespondersError,
  type Subscription,
  TimeoutError,
} from "@nats-io/transport-node";

interface Question {
  readonly timer: NodeJS.Timeout;
  resolve(answer: Msg): void;
  reject(error: Error): void;
}

/** What the server says where nobody is there who could answer. */
const NO_RESPONDERS = 503;

/**
 * Questions to JetStream, one answer each, which come to one subscription. The client's own requests make errors with their
 * places, and subscriptions for messages of streams, also where nothing fails: of a small job that was the largest part.
 */
export class JetStreamAnswers {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  readonly #late: (message: Msg) => void;
  /** By the subject that its answer is asked under; oldest first. */
  readonly #questions = new Map<string, Question>();
  #lastNumber = 0;
  /** undefined: none yet, or it was taken away. */
  #subscription: Subscription | undefined;

  /** @param late  told of a message of a stream that nobody waits for any more */
  constructor(connection: NatsConnection, late: (message: Msg) => void = () => {}) {
    this.#connection = connection;
    this.#late = late;
    this.#inbox = createInbox();
  }

  /**
   * Ask something.
   *
   * @returns the answer; where a message of a stream was asked for that, or what the server has to say in its place
   * @throws whatever NATS says, or that it says nothing
   */
  ask(subject: string, body: string, timeoutMs: number, headers?: MsgHdrs): Promise<Msg> {
    this.#lastNumber += 1;
    const reply = `${this.#inbox}.${this.#lastNumber}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#questions.delete(reply);
        reject(new TimeoutError());
      }, timeoutMs);
      this.#questions.set(reply, { timer, resolve, reject });
      try {
        this.#subscription ??= this.#listen();
        this.#connection.publish(subject, body, headers === undefined ? { reply } : { reply, headers });
      } catch (error) {
        this.#end(reply)?.reject(error as Error);
      }
    });
  }

  #listen(): Subscription {
    return this.#connection.subscribe(`${this.#inbox}.*`, { callback: (error, answer) => this.#hear(error, answer) });
  }

  #hear(error: Error | null, answer: Msg): void {
    if (error !== null) {
      // The server has ended it: the next question listens anew.
      this.#subscription?.unsubscribe();
      this.#subscription = undefined;
      for (const reply of [...this.#questions.keys()]) this.#end(reply)?.reject(error);
      return;
    }
    // A message of a stream comes under its own subject: whoever has waited longest gets it.
    const isMessage = !answer.subject.startsWith(this.#inbox);
    const [oldest = ""] = isMessage ? this.#questions.keys() : [answer.subject];
    const question = this.#end(oldest);
    if (question === undefined) {
      if (isMessage) this.#late(answer);
    } else if (answer.headers?.code === NO_RESPONDERS) question.reject(new NoRespondersError(answer.subject));
    else question.resolve(answer);
  }

  #end(reply: string): Question | undefined {
    const question = this.#questions.get(reply);
    this.#questions.delete(reply);
    clearTimeout(question?.timer);
    return question;
  }
}
