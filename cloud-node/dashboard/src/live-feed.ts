import { applyFleetUpdate, type FleetUpdate } from "../../src/api/fleet-feed.ts";
import { applyJobsUpdate, type JobsUpdate } from "../../src/api/job-feed.ts";
import type { LiveJob } from "../../src/api/job-watch.ts";
import type { LaneUpdate } from "../../src/api/lane-feed.ts";
import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import type { FleetPage, FleetRow } from "../../src/api/schemas/fleet-schema.ts";

/** Who hears what arrives. */
export interface FeedListener {
  fleet(page: FleetPage): void;
  device(row: FleetRow): void;
  lanes(update: LaneUpdate): void;
  event(event: ApiEvent): void;
  /** The newest jobs. @param problem  why the queue cannot be read now; null: it can */
  jobs(jobs: readonly LiveJob[], problem: string | null): void;
  /** Called for every message; with the node's Unix time where the message tells it, µs. */
  alive(nowUs: number | undefined): void;
  /** The connection is lost; why is not told. */
  lost(): void;
  /** The connection is open again after it was lost: everything else may be old. */
  reopened(): void;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** A hidden tab holds no connection for longer than this: a browser has only six for each host. */
const HIDDEN_CLOSE_MS = 30_000;

/** The one connection of this tab: opened again after 1, 2, 4 … 30 s, closed while nobody looks. */
export class LiveFeed {
  readonly #listener: FeedListener;
  #wish: string | undefined;
  #source: EventSource | undefined;
  #page: FleetPage | undefined;
  #jobs: readonly LiveJob[] | undefined;
  /** Id of the last message: events after it are told again by a new connection. */
  #lastId = "";
  #retryMs = FIRST_RETRY_MS;
  #timer = 0;
  #hiddenTimer = 0;
  #wasOpen = false;
  #isHeld = false;

  constructor(listener: FeedListener) {
    this.#listener = listener;
    document.addEventListener("visibilitychange", () => {
      window.clearTimeout(this.#hiddenTimer);
      // Of its own: a connection that is lost and opened again meanwhile is closed too, and not tried for ever.
      if (document.hidden) this.#hiddenTimer = window.setTimeout(() => this.#close(), HIDDEN_CLOSE_MS);
      else if (this.#source === undefined && this.#wish !== undefined) this.#open();
    });
  }

  /** Follow this from now on. @param wish  the stream's query: a part of the table, or one device */
  follow(wish: URLSearchParams): void {
    if (wish.toString() === this.#wish) return;
    this.#wish = wish.toString();
    this.#page = undefined;
    this.#jobs = undefined;
    this.#wasOpen = false;
    this.#retryMs = FIRST_RETRY_MS;
    this.#open();
  }

  /** Hold no connection, and try for none, until it is let go again: then at once. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#close();
    else this.retry();
  }

  /** Follow nothing: what was wished for is not there. */
  rest(): void {
    this.#wish = undefined;
    this.#close();
  }

  /** Try at once, whatever the time to the next try is. */
  retry(): void {
    if (this.#source === undefined && this.#wish !== undefined) this.#open();
  }

  #open(): void {
    this.#close();
    if (this.#isHeld) return;
    const since = this.#lastId === "" ? "" : `&since=${this.#lastId}`;
    const source = new EventSource(`/api/v1/stream?${this.#wish}${since}`);
    this.#source = source;
    this.#hear(source, "fleet", (update: FleetUpdate) => {
      this.#page = applyFleetUpdate(this.#page, update);
      this.#listener.alive(update.summary.nowUs);
      this.#listener.fleet(this.#page);
    });
    this.#hear(source, "device", (row: FleetRow) => this.#listener.device(row));
    this.#hear(source, "lanes", (update: LaneUpdate) => this.#listener.lanes(update));
    this.#hear(source, "jobs", (update: JobsUpdate) => {
      this.#jobs = applyJobsUpdate(this.#jobs, update);
      this.#listener.jobs(this.#jobs, update.problem);
    });
    this.#hear(source, "event", (event: ApiEvent) => this.#listener.event(event));
    this.#hear(source, "heartbeat", ({ nowUs }: { readonly nowUs: number }) => this.#listener.alive(nowUs));
    source.addEventListener("open", () => {
      if (this.#wasOpen) this.#listener.reopened();
      this.#wasOpen = true;
    });
    source.addEventListener("error", () => {
      this.#close();
      this.#listener.lost();
      this.#timer = window.setTimeout(() => this.#open(), this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS);
    });
  }

  #hear<Message>(source: EventSource, name: string, take: (message: Message) => void): void {
    source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
      this.#lastId = lastEventId;
      this.#retryMs = FIRST_RETRY_MS;
      this.#listener.alive(undefined);
      take(JSON.parse(data));
    });
  }

  #close(): void {
    window.clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }
}
