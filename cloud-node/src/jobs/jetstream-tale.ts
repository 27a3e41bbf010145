import { type ConsumerMessages, DeliverPolicy } from "@nats-io/jetstream";
import type { KvWatchEntry } from "@nats-io/kv";
import type { QueuedIterator } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import { type JetStreamJobs, keptJob } from "./jetstream-jobs.ts";
import type { JetStreamNames } from "./jetstream-names.ts";
import type { JobEvent } from "./job-queue.ts";
import { type JobRecord, jobOf } from "./job-record.ts";
import type { NatsLink } from "./nats-link.ts";

/** Where listening fails it is begun again after so long, ms. */
const AGAIN_MS = 500;
const FETCH_MS = 2_000;

interface Sources {
  readonly changes: QueuedIterator<KvWatchEntry>;
  readonly lines: ConsumerMessages;
}

/** What is told of jobs: their changes, their logs, and those that are dead. What NATS says is thrown as it is. */
export class JetStreamTale {
  readonly #link: NatsLink;
  readonly #names: JetStreamNames;
  readonly #jobs: JetStreamJobs;
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  #sources: Promise<Sources> | undefined;
  #isHeeding = false;
  #isClosed = false;

  constructor(link: NatsLink, names: JetStreamNames, jobs: JetStreamJobs, clock: Clock) {
    this.#link = link;
    this.#names = names;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  async addLine(id: string, line: string): Promise<void> {
    await this.#link.js.publish(this.#names.logOf(id), line);
  }

  async lines(id: string): Promise<string[]> {
    const consumer = await this.#link.js.consumers.get(this.#names.log, { filter_subjects: this.#names.logOf(id) });
    const { num_pending: most } = await consumer.info();
    const lines: string[] = [];
    if (most === 0) return lines;
    for await (const message of await consumer.fetch({ max_messages: most, expires: FETCH_MS })) {
      lines.push(message.string());
      if (lines.length === most) break;
    }
    return lines;
  }

  /** Tell whoever listens for dead jobs, with the last error and the inputs. Twice is once: it replaces itself. */
  async bury(record: JobRecord): Promise<void> {
    await this.#link.js.publish(this.#names.deadOf(record.workload, record.id), JSON.stringify(jobOf(record)));
  }

  /** Forget that a job was dead. */
  async unbury({ id, workload }: JobRecord): Promise<void> {
    await this.#link.jsm.streams.purge(this.#names.dead, { filter: this.#names.deadOf(workload, id) });
  }

  /** Forget all that was told of a job. */
  async forget(record: JobRecord): Promise<void> {
    await this.#link.jsm.streams.purge(this.#names.log, { filter: this.#names.logOf(record.id) });
    await this.unbury(record);
  }

  watch(listener: (event: JobEvent) => void): () => void {
    // Of its own, so that one who listens twice hears twice, and ends once.
    const own = (event: JobEvent) => listener(event);
    this.#listeners.add(own);
    this.#listen();
    this.#heedReconnects();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    await this.#stop();
  }

  #listen(): void {
    if (this.#sources !== undefined || this.#isClosed || this.#listeners.size === 0) return;
    const sources = this.#open();
    this.#sources = sources;
    sources
      .then(({ changes, lines }) => Promise.race([this.#tellChanges(changes), this.#tellLines(lines)]))
      .catch(() => {})
      .finally(() => {
        if (this.#sources !== sources) return;
        // Neither ends by itself but for want of the servers.
        this.#stop();
        this.#clock.setTimer(() => this.#listen(), AGAIN_MS);
      });
  }

  /** A server that comes back knows nothing of who listened: he would notice by himself, but late. */
  async #heedReconnects(): Promise<void> {
    if (this.#isHeeding) return;
    this.#isHeeding = true;
    for await (const { type } of this.#link.connection.status()) {
      if (this.#isClosed) return;
      if (type !== "reconnect" || this.#sources === undefined) continue;
      await this.#stop();
      this.#listen();
    }
  }

  async #open(): Promise<Sources> {
    const changes = await this.#jobs.changes();
    const consumer = await this.#link.js.consumers.get(this.#names.log, { deliver_policy: DeliverPolicy.New });
    return { changes, lines: await consumer.consume() };
  }

  async #tellChanges(changes: Sources["changes"]): Promise<void> {
    for await (const entry of changes) {
      const kept = keptJob(entry);
      if (kept !== undefined) this.#tell({ kind: "job", job: jobOf(kept.record) });
    }
  }

  async #tellLines(lines: Sources["lines"]): Promise<void> {
    for await (const message of lines) {
      const id = message.subject.slice(message.subject.lastIndexOf(".") + 1);
      this.#tell({ kind: "log", id, line: message.string() });
    }
  }

  #tell(event: JobEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async #stop(): Promise<void> {
    const opened = this.#sources;
    this.#sources = undefined;
    const sources = await opened?.catch(() => undefined);
    sources?.changes.stop();
    sources?.lines.stop();
  }
}
