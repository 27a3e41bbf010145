import { randomUUID } from "node:crypto";
import type { BrokerReach } from "../broker-reach.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { BrokerLink } from "./broker-link.ts";
import { JSON_VALUES, toValuesMessage } from "./json-message.ts";
import { Outbox } from "./outbox.ts";
import type { Publisher, RepublishTally } from "./publisher.ts";
import { type SampleBatch, splitBatch, valuesIn } from "./sample-batch.ts";
import { checkValuesTopic, valuesTopic } from "./values-topic.ts";

export interface JsonPublisherOptions {
  readonly broker: BrokerReach;
  /** Where messages go; `{device}` stands for the device's name, `{group}` for the node's group. */
  readonly topic: string;
  readonly group: string;
  /** Channel-samples that may wait for the broker. */
  readonly queueValues: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Publishes samples as plain JSON, a message per device and batch. */
export class JsonPublisher implements Publisher {
  readonly #options: JsonPublisherOptions;
  readonly #outbox: Outbox;
  readonly #link: BrokerLink;
  /** Samples given up since the device's last message. */
  readonly #missing = new Map<string, { skipped: number; lost: number }>();
  readonly #encoder = new TextEncoder();
  #messages = 0;
  #values = 0;
  #dropped = 0;
  #isDropping = false;

  /** @throws {RepublishError} `bad-topic` */
  constructor(options: JsonPublisherOptions) {
    checkValuesTopic(options.topic, options.group);
    this.#options = options;
    this.#outbox = new Outbox(options.queueValues);
    this.#link = new BrokerLink({
      broker: options.broker,
      clientId: `ls-json-${randomUUID()}`,
      purpose: "json",
      filters: [],
      clock: options.clock,
      logger: options.logger,
      up: () => this.#drain(),
      down: () => {},
      room: () => this.#drain(),
      message: () => {},
    });
  }

  get problem(): string | null {
    return this.#link.isUp ? null : `re-publishing as json: ${this.#link.problem}`;
  }

  tally(): RepublishTally {
    return {
      format: "json",
      messages: this.#messages,
      values: this.#values,
      droppedValues: this.#dropped,
      queuedValues: this.#outbox.values,
      connections: this.#link.connections,
      isConnected: this.#link.isUp,
    };
  }

  born(): void {}

  gone(): void {}

  take(batch: SampleBatch): void {
    // A guess is told at once or not at all: never late, and never in the place of what is certain.
    if (batch.state === "extrapolated" && !(this.#link.hasRoom && this.#outbox.values === 0)) {
      this.#carry(batch, 0);
      return;
    }
    for (const part of splitBatch(batch, JSON_VALUES)) {
      for (const dropped of this.#outbox.push(part)) this.#drop(dropped);
    }
    this.#drain();
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  #drain(): void {
    while (this.#link.hasRoom) {
      const batch = this.#outbox.shift();
      if (batch === undefined) {
        this.#isDropping = false;
        return;
      }
      const { device } = batch.facts;
      const missing = this.#missing.get(device) ?? { skipped: 0, lost: 0 };
      this.#missing.delete(device);
      const message = toValuesMessage({ ...batch, lost: batch.lost + missing.lost }, missing.skipped);
      const { topic, group } = this.#options;
      const at = valuesTopic(topic, group, device);
      this.#link.publish(at, this.#encoder.encode(JSON.stringify(message)));
      this.#messages += 1;
      this.#values += valuesIn(batch);
    }
  }

  /** What a batch was to say of others is said with the device's next one. @param rows  of its own that go too */
  #carry({ facts: { device }, skipped, lost }: SampleBatch, rows: number): void {
    const missing = this.#missing.get(device) ?? { skipped: 0, lost: 0 };
    missing.skipped += skipped + rows;
    missing.lost += lost;
    this.#missing.set(device, missing);
  }

  #drop(batch: SampleBatch): void {
    this.#carry(batch, batch.state === "confirmed" ? batch.timesUs.length : 0);
    this.#dropped += valuesIn(batch);
    if (!this.#isDropping) {
      this.#isDropping = true;
      this.#options.logger.warn({ format: "json" }, "re-publishing: the queue is full, the oldest samples make room");
    }
  }
}
