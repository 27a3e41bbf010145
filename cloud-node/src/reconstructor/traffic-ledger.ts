import type { Clock, Timer } from "../clock.ts";
import type { CommitQueue } from "../store/commit-queue.ts";
import type { StoredTraffic } from "../store/store.ts";
import type { TrafficMeter } from "./traffic-meter.ts";

/** What a device cost in a minute of Unix time, as far as it is not known to be stored. */
export interface FreshTraffic {
  readonly minute: number;
  readonly traffic: StoredTraffic;
}

/** A device whose cost is counted. */
export interface MeteredDevice {
  readonly key: number;
  readonly traffic: TrafficMeter;
}

interface TrafficLedgerOptions {
  readonly commits: CommitQueue;
  readonly clock: Clock;
  devices(): readonly MeteredDevice[];
}

const MINUTE_MS = 60_000;
const US_PER_MINUTE = 60_000_000;
/** Devices of a whole minute go to the store a part at a time, so that no commit of frames waits behind ten thousand. */
const WRITE_EVERY_MS = 1_000;
const WRITTEN_AT_ONCE = 250;

/** Writes down, minute by minute, what each device cost and carried, as it arrived. */
export class TrafficLedger {
  readonly #options: TrafficLedgerOptions;
  /** By a device's key, oldest first. */
  readonly #fresh = new Map<number, FreshTraffic[]>();
  #unwritten: { readonly device: number; readonly fresh: FreshTraffic }[] = [];
  #minuteTimer: Timer | undefined;
  #writeTimer: Timer | undefined;

  constructor(options: TrafficLedgerOptions) {
    this.#options = options;
    this.#arm();
  }

  /** What a device cost that may not be stored yet, the running minute included. */
  freshOf({ key, traffic }: MeteredDevice): FreshTraffic[] {
    const known = this.#fresh.get(key) ?? [];
    const running = traffic.untaken;
    return running === undefined ? [...known] : [...known, { minute: this.#minuteNow(), traffic: running }];
  }

  /** Hand everything over to the store. */
  close(): void {
    this.#minuteTimer?.cancel();
    this.#writeTimer?.cancel();
    this.#write(Number.POSITIVE_INFINITY);
    this.#take(this.#minuteNow());
    this.#write(Number.POSITIVE_INFINITY);
  }

  #arm(): void {
    const { clock } = this.#options;
    const minute = this.#minuteNow();
    const leftMs = MINUTE_MS - (clock.unixUs() - minute * US_PER_MINUTE) / 1000;
    this.#minuteTimer = clock.setTimer(() => {
      this.#take(minute);
      this.#writeOn();
      this.#arm();
    }, leftMs);
  }

  /** Close a minute of every device. */
  #take(minute: number): void {
    const { commits, devices } = this.#options;
    // What cannot be written is left to the meters, which take no more room for it.
    if (commits.failure !== undefined || this.#unwritten.length > 0) return;
    for (const { key, traffic } of devices()) {
      const since = traffic.take();
      if (since === undefined) continue;
      const fresh = { minute, traffic: since };
      this.#fresh.set(key, [...(this.#fresh.get(key) ?? []), fresh]);
      this.#unwritten.push({ device: key, fresh });
    }
  }

  #writeOn(): void {
    this.#writeTimer?.cancel();
    this.#write(WRITTEN_AT_ONCE);
    if (this.#unwritten.length > 0)
      this.#writeTimer = this.#options.clock.setTimer(() => this.#writeOn(), WRITE_EVERY_MS);
  }

  #write(most: number): void {
    const written = this.#unwritten.splice(0, most);
    for (const { device, fresh } of written) {
      const settled = () => this.#forget(device, fresh);
      const record = { table: "traffic", device, minute: fresh.minute, ...fresh.traffic } as const;
      // What can never be written would pile up here.
      if (!this.#options.commits.record(record, settled)) settled();
    }
  }

  #forget(device: number, fresh: FreshTraffic): void {
    const left = (this.#fresh.get(device) ?? []).filter((other) => other !== fresh);
    if (left.length === 0) this.#fresh.delete(device);
    else this.#fresh.set(device, left);
  }

  #minuteNow(): number {
    return Math.floor(this.#options.clock.unixUs() / US_PER_MINUTE);
  }
}
