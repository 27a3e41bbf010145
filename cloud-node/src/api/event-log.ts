import { eventText } from "./event-text.ts";
import type { LoggedEvent } from "./logged-event.ts";
import type { ApiEvent } from "./schemas/event-schema.ts";

/** Events that are kept; a page that was away for longer gets these. */
const CAPACITY = 2_000;
/** Events that may come with every frame are told once in so long for each device, with what they add up to. */
const CALM_US = 10_000_000;
const FREQUENT: ReadonlySet<string> = new Set(["gap-pending", "saturated", "invalid", "resync", "conflict", "refused"]);

/** The newest events of a node, numbered so that a reader can go on where it was. */
export class EventLog {
  readonly #events: ApiEvent[] = [];
  readonly #calm = new Map<string, { untilUs: number; count: number }>();
  #lastId = 0;

  /** The id of the newest event; ids rise, over restarts too. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Take note of an event. */
  add(event: LoggedEvent, unixUs: number): void {
    const count = this.#calmed(event, unixUs);
    if (count === undefined) return;
    const counted = "count" in event ? { ...event, count: event.count + count } : event;
    // Unix time makes them rise over restarts; two in one microsecond still differ.
    this.#lastId = Math.max(this.#lastId + 1, unixUs);
    this.#events.push({
      id: this.#lastId,
      unixUs,
      ...eventText(counted),
      ...counted,
      device: "device" in event ? event.device : null,
    });
    if (this.#events.length > CAPACITY) this.#events.shift();
  }

  /**
   * Events after one, oldest first.
   *
   * @param since  id of the last one known; the newest `limit` of those after it
   * @param device  of this device alone
   */
  after(since: number, limit: number, device?: string): ApiEvent[] {
    const found = this.#events.filter((event) => event.id > since && (device === undefined || event.device === device));
    return found.slice(Math.max(0, found.length - limit));
  }

  /** The oldest `limit` events after one that a reader has, so that it gets the rest with the next ones. */
  next(since: number, limit: number): ApiEvent[] {
    const from = this.#events.findIndex((event) => event.id > since);
    return from < 0 ? [] : this.#events.slice(from, from + limit);
  }

  /** @returns what was left out before and belongs to this event; undefined: leave this one out too */
  #calmed(event: LoggedEvent, unixUs: number): number | undefined {
    if (!FREQUENT.has(event.kind)) return 0;
    const key = `${event.kind} ${"device" in event ? event.device : ""}`;
    const calm = this.#calm.get(key);
    const own = "count" in event ? event.count : 0;
    if (calm !== undefined && unixUs < calm.untilUs) {
      calm.count += own;
      return undefined;
    }
    this.#calm.set(key, { untilUs: unixUs + CALM_US, count: 0 });
    return calm?.count ?? 0;
  }
}
