import type { Clock, Timer } from "../clock.ts";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { EventStream } from "./event-stream.ts";
import { fleetSnapshot } from "./fleet-snapshot.ts";
import { LaneFeed } from "./lane-feed.ts";
import type { PageNode, TimedEvent, TruthOf } from "./page-source.ts";
import type { SampleTally } from "./sample-tally.ts";

/** Numbers at most once a second, plots at most ten times. */
const LANES_MS = 200;
const FLEET_MS = 1000;
/** Comments of the protocol do not reach the page, so life is shown by an event of its own. */
const HEARTBEAT_MS = 5000;

/** What a stream reads from. */
export interface PageStreamSource {
  readonly node: PageNode;
  readonly tally: SampleTally;
  readonly truthOf: TruthOf;
  readonly clock: Clock;
}

/** Feeds one browser: the fleet, the lanes of the device it looks at, events and a heartbeat. */
export class PageStream {
  readonly #source: PageStreamSource;
  readonly #stream: EventStream;
  readonly #device: string | undefined;
  readonly #lanes = new LaneFeed();
  readonly #timers = new Map<string, Timer>();
  readonly #unsubscribe: () => void;
  #isClosed = false;

  /** @param device  whose lanes; undefined: those of the first device in the table */
  constructor(source: PageStreamSource, stream: EventStream, device: string | undefined) {
    this.#source = source;
    this.#stream = stream;
    this.#device = device;
    this.#unsubscribe = source.node.onEvent((event) => this.#tell(event));
    this.#repeat("fleet", FLEET_MS, () => this.#sendFleet());
    this.#repeat("lanes", LANES_MS, () => this.#sendLanes());
    this.#repeat("heartbeat", HEARTBEAT_MS, () => this.#stream.send("heartbeat", { nowUs: source.clock.unixUs() }));
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#stream.end();
  }

  #repeat(name: string, everyMs: number, send: () => void): void {
    if (this.#isClosed) return;
    if (this.#stream.isReady) send();
    this.#timers.set(
      name,
      this.#source.clock.setTimer(() => this.#repeat(name, everyMs, send), everyMs),
    );
  }

  #sendFleet(): void {
    const { node, tally, truthOf, clock } = this.#source;
    this.#stream.send("fleet", fleetSnapshot(node, tally, truthOf, clock.unixUs()));
  }

  #sendLanes(): void {
    const { node } = this.#source;
    const view = this.#device === undefined ? node.devices()[0] : node.device(this.#device);
    if (view === undefined) return;
    const update = this.#lanes.next(view);
    if (update !== undefined) this.#stream.send("lanes", update);
  }

  #tell(event: NodeEvent): void {
    // "confirmed" comes with every commit, and the lanes show it already.
    if (event.kind === "confirmed" || !this.#stream.isReady) return;
    const timed: TimedEvent = { ...event, unixUs: this.#source.clock.unixUs() };
    this.#stream.send("event", timed);
  }
}
