import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import { FollowedDevice } from "./followed-device.ts";
import type { FollowedNode, StoredRows } from "./followed-node.ts";
import { LateReader, type LateRows } from "./late-reader.ts";
import type { SampleSink } from "./publisher.ts";

/** Which confirmed samples are told: every one, or of each device the newest once in a while. */
export type SampleChoice = "all" | "newest";

export interface TwinFollowerOptions {
  readonly node: FollowedNode;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between two looks at a device, ms; 0: after every commit. */
  readonly everyMs: number;
  readonly samples: SampleChoice;
  /** Whether what a twin expects now is told too, while nothing newer is confirmed. */
  readonly extrapolated: boolean;
  readonly sink: SampleSink;
  /** Whether consumers take more than they have now. */
  hasRoom(): boolean;
}

/** Twins keep some two thousand samples in memory: half of that is looked at before the other half comes. */
const HURRY_ROWS = 1_000;
const RECENT_ROWS = 2_048;
/** What is expected changes all the time: it is told so often at most, ms. */
const LEAST_EXPECT_MS = 100;

/**
 * Follows the twins of a node and tells what is new of them: in time order device by device, never twice, and never in the
 * way of a frame. Nothing is kept here but how far each device was told.
 */
export class TwinFollower {
  readonly #options: TwinFollowerOptions;
  readonly #devices = new Map<string, FollowedDevice>();
  readonly #late: LateReader;
  readonly #unsubscribe: () => void;
  /** Devices with something new, and the rows confirmed since they were looked at, by epoch. */
  #changed = new Map<string, Map<number, number>>();
  #look: Timer | undefined;
  #isSoon = false;
  #skipped = 0;
  #isClosed = false;

  constructor(options: TwinFollowerOptions) {
    this.#options = options;
    const { node, clock, logger, hasRoom } = options;
    this.#late = new LateReader({
      node,
      clock,
      logger,
      hasRoom,
      found: (late, rows) => this.#foundLate(late, rows),
      failed: ({ device, rows }) => this.#skip(this.#devices.get(device), rows),
    });
    for (const view of node.devices()) {
      this.#devices.set(view.id, new FollowedDevice(view, true));
      this.#changed.set(view.id, new Map());
    }
    this.#unsubscribe = node.onEvent((event) => this.#hear(event));
    this.#lookAll();
  }

  /** Confirmed rows that were passed over, because only the newest were asked for or because they could not be read. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Tell what is confirmed by now, and nothing after it. */
  close(): void {
    this.#lookAll();
    this.#isClosed = true;
    this.#look?.cancel();
    this.#unsubscribe();
    this.#late.close();
  }

  #hear(event: NodeEvent): void {
    switch (event.kind) {
      case "confirmed": {
        const rows = this.#changedRows(event.device);
        rows.set(event.epoch, (rows.get(event.epoch) ?? 0) + event.samples);
        if (this.#options.everyMs === 0 || (rows.get(event.epoch) ?? 0) >= HURRY_ROWS) this.#soon();
        else this.#look ??= this.#lookIn(this.#options.everyMs);
        return;
      }
      case "born":
      case "online":
      case "offline":
        this.#changedRows(event.device);
        this.#soon();
        return;
      case "gap-lost":
        this.#devices.get(event.device)?.lose(event.samples);
        return;
      default:
    }
  }

  #changedRows(device: string): Map<number, number> {
    const known = this.#changed.get(device);
    if (known !== undefined) return known;
    const rows = new Map<number, number>();
    this.#changed.set(device, rows);
    return rows;
  }

  /** Look as soon as whoever tells of it is done. */
  #soon(): void {
    if (this.#isSoon || this.#isClosed) return;
    this.#isSoon = true;
    this.#look?.cancel();
    this.#look = this.#lookIn(0);
  }

  #lookIn(delayMs: number): Timer {
    return this.#options.clock.setTimer(() => this.#lookAll(), delayMs);
  }

  #lookAll(): void {
    if (this.#isClosed) return;
    const { everyMs, extrapolated } = this.#options;
    const changed = this.#changed;
    this.#changed = new Map();
    this.#isSoon = false;
    this.#look = undefined;
    for (const [id, rows] of changed) this.#lookAt(id, rows);
    if (!extrapolated) return;
    for (const device of this.#devices.values()) this.#expect(device);
    this.#look ??= this.#lookIn(Math.max(everyMs, LEAST_EXPECT_MS));
  }

  #lookAt(id: string, heard: ReadonlyMap<number, number>): void {
    const { node, sink } = this.#options;
    const view = node.device(id);
    if (view === undefined) return;
    const known = this.#devices.get(id);
    const device = known ?? new FollowedDevice(view, false);
    this.#devices.set(id, device);
    const isRenewed = device.renew(view);
    if (view.online && (!device.isOnline || isRenewed)) sink.born(device.boot.facts);
    for (const [epoch, rows] of heard) if (epoch !== view.epoch) this.#tellLate(device, epoch, rows);
    this.#tell(device, view);
    if (!view.online && device.isOnline) sink.gone(id);
    device.isOnline = view.online;
  }

  #tell(device: FollowedDevice, view: TwinView): void {
    const { clock, samples, sink } = this.#options;
    const untold = device.untold(view);
    if (untold === 0) return;
    device.date(view, clock.unixUs());
    const rows = recentRows(view, samples === "newest" ? 1 : Math.min(untold, RECENT_ROWS));
    const passed = untold - rows.timesUs.length;
    if (samples === "newest") this.#skip(device, passed);
    const { boot } = device;
    const { toldUs } = boot;
    // What was skipped and lost is said with rows, or waits for them.
    const isSome = rows.timesUs.length > 0;
    const batch = isSome ? device.batch(boot, rows, { state: "confirmed", isLate: false }) : undefined;
    device.caughtUp(view);
    if (batch !== undefined) sink.take(batch);
    if (samples === "newest" || passed === 0) return;
    const beforeUs = rows.timesUs[0] ?? Number.POSITIVE_INFINITY;
    this.#late.read({ device: device.id, epoch: boot.facts.epoch, rows: passed, afterUs: () => toldUs, beforeUs });
  }

  /** What a device's earlier boot left behind comes after the birth of the next. */
  #tellLate(device: FollowedDevice, epoch: number, rows: number): void {
    const boot = device.earlier(epoch);
    if (this.#options.samples === "newest" || boot?.dating === undefined) {
      this.#skip(device, rows);
      return;
    }
    const afterUs = (): number => boot.toldUs;
    this.#late.read({ device: device.id, epoch, rows, afterUs, beforeUs: Number.POSITIVE_INFINITY });
  }

  #foundLate({ device: id, epoch }: LateRows, rows: StoredRows): void {
    const device = this.#devices.get(id);
    const isNewest = device?.boot.facts.epoch === epoch;
    const boot = isNewest ? device?.boot : device?.earlier(epoch);
    const lastUs = rows.timesUs.at(-1);
    if (device === undefined || boot === undefined || lastUs === undefined) return;
    if (!isNewest) boot.toldUs = Math.max(boot.toldUs, lastUs);
    const batch = device.batch(boot, rows, { state: "confirmed", isLate: true });
    if (batch !== undefined) this.#options.sink.take(batch);
  }

  #expect(device: FollowedDevice): void {
    const view = this.#options.node.device(device.id);
    const ahead = view?.latest.find(({ state }) => state === "extrapolated");
    if (view === undefined || ahead === undefined || !view.online) return;
    if (view.epoch !== device.boot.facts.epoch || ahead.timeUs <= view.confirmed.timeUs) return;
    const { values, statuses, timeUs } = ahead;
    const rows = { timesUs: Float64Array.of(timeUs), values, statuses };
    const batch = device.batch(device.boot, rows, { state: "extrapolated", isLate: false });
    if (batch !== undefined) this.#options.sink.take(batch);
  }

  #skip(device: FollowedDevice | undefined, rows: number): void {
    device?.skip(rows);
    this.#skipped += rows;
  }
}

/** The newest confirmed rows of a twin, oldest first; times by its device. */
function recentRows(view: TwinView, count: number): StoredRows {
  const columns = view.birth.channels.map((_, c) => view.recent(c, count));
  const rows = columns[0]?.length ?? 0;
  const channels = columns.length;
  const values = new Float64Array(rows * channels);
  const statuses = new Uint8Array(rows * channels);
  for (const [c, column] of columns.entries()) {
    for (const [row, { value, status }] of column.entries()) {
      values[row * channels + c] = value;
      statuses[row * channels + c] = status;
    }
  }
  return { epoch: view.epoch, timesUs: Float64Array.from(columns[0] ?? [], ({ timeUs }) => timeUs), values, statuses };
}
