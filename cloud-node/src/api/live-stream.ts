import type { Clock, Timer } from "../clock.ts";
import type { ApiNode, TruthOf } from "./api-node.ts";
import type { EventLog } from "./event-log.ts";
import { FleetFeed } from "./fleet-feed.ts";
import type { FleetWatch } from "./fleet-watch.ts";
import { JobFeed } from "./job-feed.ts";
import type { JobWatch, KnownJobs } from "./job-watch.ts";
import { LaneFeed } from "./lane-feed.ts";
import type { FleetView } from "./schemas/fleet-schema.ts";

/** Numbers at most once a second, plots at most ten times. */
const LANES_MS = 200;
const FLEET_MS = 1000;
/** Comments of the protocol do not reach the page, so life is shown by an event of its own. */
const HEARTBEAT_MS = 5000;
/** Events told at once. Who comes, or is slow, gets no older ones; who comes back gets the rest of what it missed next. */
const MAX_EVENTS = 50;

/** What is known of the jobs of a node without a queue. */
const NO_QUEUE: KnownJobs = { jobs: [], problem: "this node was started without a queue of jobs" };

/** What a stream reads from. */
export interface LiveSource {
  readonly node: ApiNode;
  readonly clock: Clock;
  readonly truthOf: TruthOf;
  readonly fleet: FleetWatch;
  readonly log: EventLog;
  readonly jobs: JobWatch | undefined;
}

/** Who messages go to. */
export interface MessageSink {
  /** Whether a message would be taken now; state that is left out must be sent whole later. */
  readonly isReady: boolean;
  /** @param id  what a reader that comes back says that it has */
  send(event: string, id: number, data: object): void;
  end(): void;
}

/** What one reader wants to see. */
export interface LiveWish {
  /** The part of the table to follow; undefined: none. */
  readonly table: FleetView | undefined;
  /** The device whose lanes to follow; undefined: none. */
  readonly device: string | undefined;
  /** Whether to follow the jobs. */
  readonly hasJobs: boolean;
  /** The last event that the reader has; undefined: it has none. */
  readonly since: number | undefined;
}

/** Feeds one browser: the table, the lanes of the device it looks at, the jobs, events and a heartbeat. */
export class LiveStream {
  readonly #source: LiveSource;
  readonly #stream: MessageSink;
  readonly #wish: LiveWish;
  readonly #table = new FleetFeed();
  readonly #lanes = new LaneFeed();
  readonly #jobs = new JobFeed();
  readonly #leaveJobs: (() => void) | undefined;
  readonly #timers = new Map<string, Timer>();
  #told: number;
  #isSlow = false;
  /** Whether the reader was told of any, or that there are none. */
  #hasJobs = false;
  #row = "";
  #isClosed = false;

  constructor(source: LiveSource, stream: MessageSink, wish: LiveWish) {
    this.#source = source;
    this.#stream = stream;
    this.#wish = wish;
    this.#told = wish.since ?? (source.log.after(0, MAX_EVENTS)[0]?.id ?? 1) - 1;
    if (wish.hasJobs) this.#leaveJobs = source.jobs?.follow();
    const heartbeat = () => this.#send("heartbeat", { nowUs: source.clock.unixUs() });
    this.#repeat("heartbeat", HEARTBEAT_MS, heartbeat);
    this.#repeat("table", FLEET_MS, () => {
      this.#sendTable();
      this.#sendJobs();
    });
    this.#repeat("lanes", LANES_MS, () => {
      this.#sendEvents();
      this.#sendLanes();
      // Read a moment after the first of these begins: nobody waits longer for them than he must.
      if (!this.#hasJobs) this.#sendJobs();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#leaveJobs?.();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#stream.end();
  }

  #repeat(name: string, everyMs: number, send: () => void): void {
    if (this.#isClosed) return;
    if (this.#stream.isReady) send();
    else this.#isSlow = true;
    this.#timers.set(
      name,
      this.#source.clock.setTimer(() => this.#repeat(name, everyMs, send), everyMs),
    );
  }

  #send(event: string, data: object, id = this.#told): void {
    this.#stream.send(event, id, data);
  }

  #sendTable(): void {
    const { fleet } = this.#source;
    const { table, device } = this.#wish;
    if (table !== undefined) this.#send("fleet", this.#table.next(fleet.page(table)));
    const row = device === undefined ? undefined : fleet.row(device);
    const text = JSON.stringify(row);
    if (row === undefined || text === this.#row) return;
    this.#row = text;
    this.#send("device", row);
  }

  #sendLanes(): void {
    const { device } = this.#wish;
    const view = device === undefined || !this.#stream.isReady ? undefined : this.#source.node.device(device);
    const update = view === undefined ? undefined : this.#lanes.next(view, this.#source.truthOf(view.id));
    if (update !== undefined) this.#send("lanes", update);
  }

  #sendJobs(): void {
    if (!this.#wish.hasJobs || !this.#stream.isReady) return;
    const update = this.#jobs.next(this.#source.jobs?.known ?? NO_QUEUE);
    if (update === undefined) return;
    this.#hasJobs = true;
    this.#send("jobs", update);
  }

  #sendEvents(): void {
    const { log } = this.#source;
    const events = this.#isSlow ? log.after(this.#told, MAX_EVENTS) : log.next(this.#told, MAX_EVENTS);
    this.#isSlow = false;
    for (const event of events) {
      if (!this.#stream.isReady) return;
      this.#told = event.id;
      this.#send("event", event);
    }
  }
}
