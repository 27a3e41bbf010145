import { type ApiError, JetStreamApiError, PubHeaders } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { JetStreamAnswers } from "./jetstream-answers.ts";
import { JobError } from "./job-error.ts";

/** What a stream looks at before it takes a message. */
export interface WriteCondition {
  /** Number of the last message of the same subject; 0: there is none. Another one has been written since: refused. */
  readonly last?: number | undefined;
  /** A second message of the same id is none. */
  readonly messageId?: string | undefined;
}

/** Messages into streams, those of key-value buckets among them. */
export class JetStreamWrites {
  readonly #answers: JetStreamAnswers;
  readonly #timeoutMs: number;

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#answers = new JetStreamAnswers(connection);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Write a message.
   *
   * @returns its number, once every server that is to have it has it
   * @throws {JetStreamApiError} what the stream refuses
   * @throws {JobError} `queue-away` for an answer that is none of a stream
   * @throws whatever else NATS says
   */
  async write(subject: string, text: string, { last, messageId }: WriteCondition): Promise<number> {
    const said = headers();
    if (last !== undefined) said.set(PubHeaders.ExpectedLastSubjectSequenceHdr, String(last));
    if (messageId !== undefined) said.set(PubHeaders.MsgIdHdr, messageId);
    const answer = await this.#answers.ask(subject, text, this.#timeoutMs, said);
    const { seq, error } = answer.json<{ readonly seq?: number; readonly error?: ApiError }>();
    if (error !== undefined) throw new JetStreamApiError(error);
    // Whoever else listens to the subject may answer, too.
    if (typeof seq !== "number")
      throw new JobError("queue-away", `${subject} is no stream's`, "look at who answers there");
    return seq;
  }
}
