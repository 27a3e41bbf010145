import { type KV, type KvEntry, Kvm, type KvWatchEntry, KvWatchInclude } from "@nats-io/kv";
import type { QueuedIterator } from "@nats-io/transport-node";
import { JobError } from "./job-error.ts";
import type { JobRecord } from "./job-record.ts";
import { forgetRevision, isOvertaken, type NatsLink } from "./nats-link.ts";

/** A job, and the number of its last change: whoever changes it says which one he saw. */
export interface KeptJob {
  readonly record: JobRecord;
  readonly revision: number;
}

/** Others may change a job between its reading and its writing, but nobody does so for ever. */
const MOST_TRIES = 50;

/** The jobs of a queue in a key-value bucket, by their ids. What NATS says is thrown as it is. */
export class JetStreamJobs {
  readonly #link: NatsLink;
  readonly #bucket: string;
  readonly #kv: KV;

  private constructor(link: NatsLink, bucket: string, kv: KV) {
    this.#link = link;
    this.#bucket = bucket;
    this.#kv = kv;
  }

  static async open(link: NatsLink, bucket: string): Promise<JetStreamJobs> {
    // Read from the leader alone: others answer what was true a moment ago.
    const kv = await new Kvm(link.js).create(bucket, { history: 1, replicas: link.replicas, allow_direct: false });
    return new JetStreamJobs(link, bucket, kv);
  }

  async get(id: string): Promise<KeptJob | undefined> {
    const entry = await this.#kv.get(id);
    return entry === null ? undefined : keptJob(entry);
  }

  /** @throws {JobError} `unknown-job` */
  async need(id: string): Promise<KeptJob> {
    const kept = await this.get(id);
    if (kept === undefined) throw new JobError("unknown-job", `job ${id}`, "it was never handed in, or is forgotten");
    return kept;
  }

  /** @returns its first revision; undefined: it is there already */
  async add(record: JobRecord): Promise<number | undefined> {
    const revision = await this.put(record, 0);
    if (revision !== undefined) return revision;
    // What somebody removed by hand leaves a mark.
    const entry = await this.#kv.get(record.id);
    return entry === null || entry.operation === "PUT" ? undefined : this.put(record, entry.revision);
  }

  /** @returns its new revision; undefined: somebody else changed it first */
  put(record: JobRecord, revision: number): Promise<number | undefined> {
    // As a bucket's client does it.
    const subject = `$KV.${this.#bucket}.${record.id}`;
    return unlessOvertaken(this.#link.writes.write(subject, JSON.stringify(record), { last: revision }));
  }

  /** Change a job as it is, whoever else does so. @throws {JobError} `unknown-job`, and what `change` throws */
  async change(id: string, change: (record: JobRecord) => JobRecord): Promise<KeptJob> {
    for (let i = 0; i < MOST_TRIES; i++) {
      const kept = await this.need(id);
      const record = change(kept.record);
      const revision = await this.put(record, kept.revision);
      if (revision !== undefined) return { record, revision };
    }
    throw new JobError("queue-away", `job ${id} is changed by others all the time`, "try again");
  }

  /** Every job, in no order. */
  async *all(): AsyncGenerator<KeptJob> {
    for await (const entry of await this.#kv.history()) {
      const kept = keptJob(entry);
      if (kept !== undefined) yield kept;
    }
  }

  /** Forget a job, unless it was changed since. */
  async forget({ revision }: KeptJob): Promise<boolean> {
    return forgetRevision(this.#link, `KV_${this.#bucket}`, revision);
  }

  /** Every change from now on. */
  changes(): Promise<QueuedIterator<KvWatchEntry>> {
    return this.#kv.watch({ include: KvWatchInclude.UpdatesOnly });
  }
}

/** A job as an entry has it; undefined for what says that it was removed. */
export function keptJob(entry: KvEntry): KeptJob | undefined {
  if (entry.operation !== "PUT") return undefined;
  return { record: entry.json<JobRecord>(), revision: entry.revision };
}

async function unlessOvertaken(write: Promise<number>): Promise<number | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isOvertaken(error)) return undefined;
    throw error;
  }
}
