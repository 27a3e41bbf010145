import type { BrokerReach } from "../broker-reach.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { FollowedNode } from "./followed-node.ts";
import { JsonPublisher } from "./json-publisher.ts";
import type { Publisher, RepublishFormat, RepublishTally } from "./publisher.ts";
import { RepublishError } from "./republish-error.ts";
import { SparkplugPublisher } from "./sparkplug/sparkplug-publisher.ts";
import { type SampleChoice, TwinFollower } from "./twin-follower.ts";

export interface RepublisherOptions {
  readonly node: FollowedNode & { readonly brokerReach: BrokerReach | null; readonly storeFile: string };
  readonly formats: readonly RepublishFormat[];
  /** Undefined: the node's own. */
  readonly broker: BrokerReach | undefined;
  /** The node's group. */
  readonly group: string;
  /** Of plain JSON. */
  readonly topic: string;
  readonly sparkplug: { readonly group: string; readonly node: string; readonly host: string | undefined };
  /** Time between two messages of a device, ms; 0: after every commit. */
  readonly everyMs: number;
  readonly samples: SampleChoice;
  readonly extrapolated: boolean;
  /** Whether the node is not ready while nothing leaves. */
  readonly isRequired: boolean;
  /** Channel-samples that may wait for the broker, of each format. */
  readonly queueValues?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What was counted since the start. */
export interface RepublishReport {
  readonly formats: readonly RepublishTally[];
  /** Confirmed rows that were passed over, by choice. */
  readonly skippedRows: number;
}

/** Some ten seconds of 1,000 devices with six channels at 16 Hz, in 9 MB a format. */
const QUEUE_VALUES = 1_000_000;

/**
 * Tells what a node reconstructs to others. It reads twins and the store as the page does, and waits for nobody: a broker
 * that is slow or away fills a bounded queue, and then costs samples here, which are counted; the store has them all.
 */
export class Republisher {
  /** Whether the node is not ready while there is a problem. */
  readonly isRequired: boolean;
  readonly #publishers: readonly Publisher[];
  readonly #follower: TwinFollower;

  private constructor(options: RepublisherOptions, publishers: readonly Publisher[]) {
    const { node, clock, logger, everyMs, samples, extrapolated, queueValues = QUEUE_VALUES } = options;
    this.isRequired = options.isRequired;
    this.#publishers = publishers;
    this.#follower = new TwinFollower({
      node,
      clock,
      logger,
      everyMs,
      samples,
      extrapolated,
      sink: {
        born: (facts) => {
          for (const one of publishers) one.born(facts);
        },
        gone: (device) => {
          for (const one of publishers) one.gone(device);
        },
        take: (batch) => {
          for (const one of publishers) one.take(batch);
        },
      },
      hasRoom: () => publishers.every((one) => one.tally().queuedValues < queueValues / 2),
    });
  }

  /**
   * Begin. The broker need not be there yet.
   *
   * @throws {RepublishError} `no-broker`, `bad-topic`, `bad-name`
   */
  static open(options: RepublisherOptions): Republisher {
    const broker = options.broker ?? options.node.brokerReach;
    if (broker === null) {
      const problem =
        "the node has no broker that lets it in twice: there is none, or it logs in with a user of its own";
      throw new RepublishError("no-broker", problem, "give --republish-to with another user");
    }
    const publishers: Publisher[] = [];
    try {
      for (const format of options.formats) publishers.push(openPublisher(format, broker, options));
      return new Republisher(options, publishers);
    } catch (error) {
      for (const publisher of publishers) void publisher.close();
      throw error;
    }
  }

  /** Why something does not leave; null when all is well. */
  get problem(): string | null {
    const problems = this.#publishers.map(({ problem }) => problem).filter((text) => text !== null);
    return problems.length === 0 ? null : problems.join("; ");
  }

  report(): RepublishReport {
    return { formats: this.#publishers.map((one) => one.tally()), skippedRows: this.#follower.skipped };
  }

  /** Tell what is confirmed by now, say goodbye, and end. */
  async close(): Promise<void> {
    this.#follower.close();
    await Promise.all(this.#publishers.map((one) => one.close()));
  }
}

function openPublisher(format: RepublishFormat, broker: BrokerReach, options: RepublisherOptions): Publisher {
  const { clock, logger, group, topic, queueValues = QUEUE_VALUES } = options;
  const common = { broker, queueValues, clock, logger };
  if (format === "json") return new JsonPublisher({ ...common, topic, group });
  const { host, ...name } = options.sparkplug;
  return new SparkplugPublisher({ ...common, name, host, storeFile: options.node.storeFile });
}
