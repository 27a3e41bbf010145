import type { BrokerReach } from "../../broker-reach.ts";
import type { Clock, Timer } from "../../clock.ts";
import type { Logger } from "../../logger.ts";
import { BrokerLink } from "../broker-link.ts";
import { Outbox } from "../outbox.ts";
import type { Publisher, RepublishTally } from "../publisher.ts";
import { type DeviceFacts, type SampleBatch, splitBatch, valuesIn } from "../sample-batch.ts";
import { AliasBook } from "./alias-book.ts";
import { BirthDeathNumber } from "./birth-death-number.ts";
import { PrimaryHost } from "./primary-host.ts";
import {
  asksForRebirth,
  deviceBirth,
  deviceData,
  deviceDeath,
  type NewestRow,
  nodeBirth,
  nodeData,
  nodeDeath,
  SPARKPLUG_VALUES,
} from "./sparkplug-payload.ts";
import {
  checkSparkplugName,
  type EdgeNodeName,
  type SparkplugVerb,
  sparkplugTopic,
  stateTopic,
} from "./sparkplug-topics.ts";

export interface SparkplugPublisherOptions {
  readonly broker: BrokerReach;
  /** Sparkplug's group and edge node that the devices are shown below; unique in the broker. */
  readonly name: EdgeNodeName;
  /** The primary host application without which nothing is said; undefined: none is waited for. */
  readonly host: string | undefined;
  /** The number of the next connection is kept beside it. */
  readonly storeFile: string;
  /** Channel-samples that may wait for the broker. */
  readonly queueValues: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What an edge node knows of one of its devices. */
interface DeviceRecord {
  facts: DeviceFacts;
  isOnline: boolean;
  /** Born in this session, with these channels; undefined before, and after its death. */
  born: string | undefined;
  /** Newest sample that was handed in. */
  newest: NewestRow | undefined;
  /** Batches that wait. */
  waiting: number;
  /** The first so many of them were handed in before the last birth, which told newer values. */
  overdue: number;
  lost: number;
  isLostTold: boolean;
  readonly flagged: Set<number>;
}

const SEQ_NUMBERS = 256;
/** Births again at most so often, whoever asks: each costs a message per device. */
const REBIRTH_MS = 1_000;
/** What was dropped is told at most so often. */
const DROPPED_MS = 1_000;

/**
 * A Sparkplug edge node whose devices are the node's:
 *
 *     connect (will: NDEATH n) ─▶ subscribed ─▶ host online? ─▶ NBIRTH n, seq 0 ─▶ DBIRTH of every device ─▶ DDATA …
 *         ▲                                         │ no: wait              ▲
 *         └── connection lost, or host offline ◀────┘                       └── NCMD Rebirth
 *
 * What waits while it is not connected leaves after the births, marked as historical.
 *
 * @see Sparkplug 3.0.0, chapters 5 and 6
 */
export class SparkplugPublisher implements Publisher {
  readonly #options: SparkplugPublisherOptions;
  readonly #numbers: BirthDeathNumber;
  readonly #aliases = new AliasBook();
  readonly #outbox: Outbox;
  readonly #devices = new Map<string, DeviceRecord>();
  /** Devices whose birth or death is to be said. */
  readonly #due = new Set<string>();
  readonly #host: PrimaryHost | undefined;
  readonly #link: BrokerLink;
  #bdSeq = 0;
  #seq = 0;
  #isBorn = false;
  #bornMs = Number.NEGATIVE_INFINITY;
  #rebirth: Timer | undefined;
  #messages = 0;
  #values = 0;
  #dropped = 0;
  #droppedTold = 0;
  #droppedToldMs = Number.NEGATIVE_INFINITY;
  #isDropping = false;

  /** @throws {RepublishError} `bad-name` */
  constructor(options: SparkplugPublisherOptions) {
    const { name, host, storeFile, clock, logger } = options;
    checkSparkplugName(name.group, "group");
    checkSparkplugName(name.node, "edge node");
    if (host !== undefined) this.#host = new PrimaryHost();
    this.#options = options;
    this.#numbers = new BirthDeathNumber(storeFile, logger);
    this.#outbox = new Outbox(options.queueValues);
    this.#link = new BrokerLink({
      broker: options.broker,
      // Always the same: a broker that still has an earlier connection ends it, and says its death, first.
      clientId: `ls-sparkplug-${name.group}/${name.node}`,
      purpose: "sparkplug",
      filters: [
        sparkplugTopic(name, "NCMD"),
        ...(host === undefined ? [] : [stateTopic(checkSparkplugName(host, "host application"))]),
      ],
      clock,
      logger,
      lastWill: () => {
        this.#bdSeq = this.#numbers.take();
        return this.#death();
      },
      up: () => this.#drain(),
      down: () => this.#ended(),
      room: () => this.#drain(),
      message: (topic, payload) => this.#hear(topic, payload),
    });
  }

  get problem(): string | null {
    if (!this.#link.isUp) return `re-publishing as sparkplug: ${this.#link.problem}`;
    return this.#isAwaited ? `re-publishing as sparkplug: host ${this.#options.host} is not online` : null;
  }

  tally(): RepublishTally {
    return {
      format: "sparkplug",
      messages: this.#messages,
      values: this.#values,
      droppedValues: this.#dropped,
      queuedValues: this.#outbox.values,
      connections: this.#link.connections,
      isConnected: this.#link.isUp,
    };
  }

  born(facts: DeviceFacts): void {
    const record = this.#record(facts);
    if (record.facts.signature !== facts.signature) record.newest = undefined;
    record.facts = facts;
    record.isOnline = true;
    record.born = undefined;
    this.#due.add(facts.device);
    this.#drain();
  }

  gone(device: string): void {
    const record = this.#devices.get(device);
    if (record === undefined) return;
    record.isOnline = false;
    this.#due.add(device);
    this.#drain();
  }

  take(batch: SampleBatch): void {
    const record = this.#record(batch.facts);
    if (batch.lost > 0) {
      record.lost += batch.lost;
      record.isLostTold = false;
    }
    // A guess is told at once or not at all: never late, and never in the place of what is certain.
    if (batch.state === "extrapolated" && !this.#isIdle) return;
    if (!batch.isLate && batch.state === "confirmed") record.newest = newestRow(batch);
    for (const part of splitBatch(batch, SPARKPLUG_VALUES)) {
      record.waiting += 1;
      for (const dropped of this.#outbox.push(part)) this.#drop(dropped);
    }
    this.#drain();
  }

  async close(): Promise<void> {
    this.#rebirth?.cancel();
    await this.#link.close(this.#death());
  }

  /** Whether what is handed in now leaves now. */
  get #isIdle(): boolean {
    const isReady = this.#link.hasRoom && !this.#isAwaited && this.#isBorn;
    return isReady && this.#outbox.values === 0 && this.#due.size === 0;
  }

  get #isAwaited(): boolean {
    return this.#host?.isOnline === false;
  }

  #record(facts: DeviceFacts): DeviceRecord {
    const known = this.#devices.get(facts.device);
    if (known !== undefined) return known;
    const record: DeviceRecord = {
      facts,
      isOnline: false,
      born: undefined,
      newest: undefined,
      waiting: 0,
      overdue: 0,
      lost: 0,
      isLostTold: true,
      flagged: new Set(),
    };
    this.#devices.set(facts.device, record);
    return record;
  }

  #hear(topic: string, payload: Uint8Array): void {
    const { name, host, logger } = this.#options;
    if (topic === sparkplugTopic(name, "NCMD")) {
      if (asksForRebirth(payload)) this.#beBornAgain();
      return;
    }
    if (host === undefined || topic !== stateTopic(host) || this.#host?.hear(payload) !== true) return;
    if (this.#host.isOnline) {
      this.#drain();
      return;
    }
    logger.info({ host }, "re-publishing: the primary host went offline; samples wait until it is back");
    void this.#link.restart(this.#death());
  }

  /** All births again, at once or as soon as the last ones are long enough ago. */
  #beBornAgain(): void {
    const { clock } = this.#options;
    if (!this.#isBorn || this.#rebirth !== undefined) return;
    const begin = (): void => {
      // To a slow broker the last ones may still be on their way: begun anew each time, they would never end.
      if ([...this.#due].some((device) => this.#devices.get(device)?.isOnline === true)) {
        this.#rebirth = clock.setTimer(begin, REBIRTH_MS);
        return;
      }
      this.#rebirth = undefined;
      this.#isBorn = false;
      this.#drain();
    };
    const waitMs = this.#bornMs + REBIRTH_MS - clock.nowMs();
    if (waitMs > 0) this.#rebirth = clock.setTimer(begin, waitMs);
    else begin();
  }

  /** The session is over: whoever comes next knows nothing. */
  #ended(): void {
    this.#isBorn = false;
    this.#rebirth?.cancel();
    this.#rebirth = undefined;
    this.#host?.forget();
    for (const record of this.#devices.values()) record.born = undefined;
  }

  #drain(): void {
    while (this.#link.hasRoom && !this.#isAwaited) {
      if (!this.#isBorn) this.#bearNode();
      else if (!this.#sayDue() && !this.#sayDropped() && !this.#sayNext()) return;
    }
  }

  #bearNode(): void {
    const { clock } = this.#options;
    this.#isBorn = true;
    this.#bornMs = clock.nowMs();
    this.#seq = 0;
    this.#droppedTold = this.#dropped;
    const payload = nodeBirth(this.#bdSeq, this.#dropped, this.#aliases, clock.unixUs());
    this.#publish("NBIRTH", undefined, () => payload);
    this.#due.clear();
    for (const [device, record] of this.#devices) {
      record.born = undefined;
      if (record.isOnline) this.#due.add(device);
    }
  }

  /** @returns whether a birth or a death was said */
  #sayDue(): boolean {
    for (const device of this.#due) {
      const record = this.#devices.get(device);
      if (record === undefined || (!record.isOnline && record.born === undefined)) {
        this.#due.delete(device);
      } else if (record.isOnline) {
        this.#due.delete(device);
        if (record.born === undefined) {
          this.#bearDevice(record);
          return true;
        }
      } else if (record.waiting === 0) {
        this.#due.delete(device);
        record.born = undefined;
        this.#publish("DDEATH", device, (seq, nowUs) => deviceDeath(seq, nowUs));
        return true;
      }
    }
    return false;
  }

  #bearDevice(record: DeviceRecord): void {
    const { facts, newest, lost } = record;
    this.#bornMs = this.#options.clock.nowMs();
    record.born = facts.signature;
    record.overdue = record.waiting;
    record.isLostTold = true;
    record.flagged.clear();
    for (const [c, status] of newest?.statuses.entries() ?? []) if (status !== 0) record.flagged.add(c);
    this.#publish("DBIRTH", facts.device, (seq, nowUs) => deviceBirth(seq, facts, newest, lost, this.#aliases, nowUs));
  }

  /** @returns whether what was given up was said */
  #sayDropped(): boolean {
    const nowMs = this.#options.clock.nowMs();
    if (this.#dropped === this.#droppedTold || nowMs < this.#droppedToldMs + DROPPED_MS) return false;
    this.#droppedTold = this.#dropped;
    this.#droppedToldMs = nowMs;
    this.#publish("NDATA", undefined, (seq, nowUs) => nodeData(seq, this.#dropped, this.#aliases, nowUs));
    return true;
  }

  /** @returns whether something waited */
  #sayNext(): boolean {
    const batch = this.#outbox.shift();
    if (batch === undefined) {
      this.#isDropping = false;
      return false;
    }
    const record = this.#record(batch.facts);
    // It went away before this could be said: born for it, and dead after it.
    if (record.born === undefined) {
      this.#bearDevice(record);
      if (!record.isOnline) this.#due.add(batch.facts.device);
    }
    const isHistorical = batch.isLate || record.overdue > 0;
    this.#waitsLess(record);
    if (record.born !== batch.facts.signature) {
      // Of a boot whose channels were others: no name of now stands for them.
      this.#dropped += valuesIn(batch);
      return true;
    }
    const { flagged } = record;
    const lost = record.isLostTold ? undefined : record.lost;
    record.isLostTold = true;
    this.#values += valuesIn(batch);
    this.#publish("DDATA", batch.facts.device, (seq, nowUs) => {
      return deviceData(seq, batch, isHistorical, flagged, lost, this.#aliases, nowUs);
    });
    return true;
  }

  /** @param payload  made with the message's number: one more than the last, of births and data alike */
  #publish(verb: SparkplugVerb, device: string | undefined, payload: (seq: number, nowUs: number) => Uint8Array): void {
    const { name, clock } = this.#options;
    if (verb !== "NBIRTH") this.#seq = (this.#seq + 1) % SEQ_NUMBERS;
    this.#messages += 1;
    this.#link.publish(sparkplugTopic(name, verb, device), payload(this.#seq, clock.unixUs()));
  }

  #drop(batch: SampleBatch): void {
    this.#dropped += valuesIn(batch);
    this.#waitsLess(this.#record(batch.facts));
    if (this.#isDropping) return;
    this.#isDropping = true;
    this.#options.logger.warn(
      { format: "sparkplug" },
      "re-publishing: the queue is full, the oldest samples make room",
    );
  }

  #waitsLess(record: DeviceRecord): void {
    record.waiting -= 1;
    record.overdue = Math.max(0, record.overdue - 1);
  }

  #death(): { readonly topic: string; readonly payload: Uint8Array } {
    const { name, clock } = this.#options;
    return { topic: sparkplugTopic(name, "NDEATH"), payload: nodeDeath(this.#bdSeq, clock.unixUs()) };
  }
}

function newestRow({ facts, timesUs, values, statuses }: SampleBatch): NewestRow | undefined {
  const timeUs = timesUs.at(-1);
  const from = values.length - facts.channels.length;
  return timeUs === undefined ? undefined : { timeUs, values: values.slice(from), statuses: statuses.slice(from) };
}
