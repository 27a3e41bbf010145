import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  type JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { NatsLink } from "./nats-link.ts";

/** Lines of a log that are kept. */
const MOST_LINES = 1_000;
/** For so long a message that was sent twice is one, ms. */
const SAME_MESSAGE_MS = 120_000;

/**
 * Where a queue is in JetStream:
 *
 *     lockstep_jobs (key-value)   a job's id: the job, and nothing but this says how it stands
 *     lockstep_work (work queue)  lockstep.work.WORKLOAD.ID: somebody is to look at it
 *     lockstep_log                lockstep.log.ID: lines
 *     lockstep_dead               lockstep.dead.WORKLOAD.ID: a job that used up its attempts, for whoever listens
 */
export class JetStreamNames {
  readonly jobs: string;
  readonly work: string;
  readonly log: string;
  readonly dead: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.jobs = `${prefix}_jobs`;
    this.work = `${prefix}_work`;
    this.log = `${prefix}_log`;
    this.dead = `${prefix}_dead`;
  }

  workOf(workload: string, id: string): string {
    return `${this.#prefix}.work.${workload}.${id}`;
  }

  logOf(id: string): string {
    return `${this.#prefix}.log.${id}`;
  }

  deadOf(workload: string, id: string): string {
    return `${this.#prefix}.dead.${workload}.${id}`;
  }

  /** Its consumer, shared by all workers. */
  consumerOf(workload: string): string {
    return `${this.#prefix}_${workload}`;
  }

  /** Where a message of a workload is asked for. */
  nextOf(workload: string): string {
    return `$JS.API.CONSUMER.MSG.NEXT.${this.work}.${this.consumerOf(workload)}`;
  }
}

/** Make the streams of a queue where they are not there. */
export async function makeStreams({ jsm, replicas }: NatsLink, names: JetStreamNames): Promise<void> {
  const config = { storage: StorageType.File, num_replicas: replicas, discard: DiscardPolicy.Old };
  const streams: (Partial<StreamConfig> & { name: string })[] = [
    {
      name: names.work,
      subjects: [names.workOf("*", "*")],
      retention: RetentionPolicy.Workqueue,
      max_msgs_per_subject: 1,
      duplicate_window: nanos(SAME_MESSAGE_MS),
    },
    { name: names.log, subjects: [names.logOf("*")], max_msgs_per_subject: MOST_LINES },
    { name: names.dead, subjects: [names.deadOf("*", "*")], max_msgs_per_subject: 1 },
  ];
  for (const stream of streams) {
    const isThere = await jsm.streams.info(stream.name).then(() => true, unlessNotFound);
    if (!isThere) await jsm.streams.add({ ...config, ...stream });
  }
}

/**
 * Make the consumer of a workload where it is not there: a message that nobody answered for is handed out again after a
 * lease time. Workers of one queue have one; where they do not, that of the last one counts.
 */
export async function makeConsumer(
  { jsm }: NatsLink,
  names: JetStreamNames,
  workload: string,
  leaseMs: number,
): Promise<void> {
  const name = names.consumerOf(workload);
  const ack_wait = nanos(leaseMs);
  const known = await jsm.consumers.info(names.work, name).catch(unlessNotFound);
  if (known === false) {
    await jsm.consumers.add(names.work, {
      durable_name: name,
      filter_subject: names.workOf(workload, "*"),
      ack_policy: AckPolicy.Explicit,
      ack_wait,
      // How often a job is tried is written in the job: the server knows neither its last error nor what was given back.
      max_deliver: -1,
      max_ack_pending: -1,
    });
  } else if (known.config.ack_wait !== ack_wait) {
    await jsm.consumers.update(names.work, name, { ack_wait });
  }
}

function unlessNotFound(error: JetStreamApiError): false {
  if (error.code !== JetStreamApiCodes.StreamNotFound && error.code !== JetStreamApiCodes.ConsumerNotFound) throw error;
  return false;
}
