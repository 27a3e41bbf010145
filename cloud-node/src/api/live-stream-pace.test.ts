import { afterEach, expect, test } from "vitest";
import type { Job } from "../jobs/job.ts";
import type { JobEvent } from "../jobs/job-queue.ts";
import { newRecord } from "../jobs/job-record.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import type { ApiJobs, ApiNode } from "./api-node.ts";
import { EventLog } from "./event-log.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { JobWatch } from "./job-watch.ts";
import { LiveStream } from "./live-stream.ts";

const VIEW = { search: "", sort: "severity", order: "asc", page: 0, rows: 50 } as const;
const NO_HISTORY: ApiNode["history"] = {
  span: async () => undefined,
  epochs: async () => [],
  gapsAfter: async () => ({ declared: [], totals: { gaps: 0, samples: 0 } }),
  traffic: () => Promise.reject(new RangeError("there is none")),
  nearest: async () => ({ beforeUs: null, afterUs: null }),
  birth: () => Promise.reject(new RangeError("there is none")),
  runs: async () => [],
  buckets: () => Promise.reject(new RangeError("there is none")),
  rows: () => {
    throw new RangeError("there is none");
  },
};
const NO_UPDATES: ApiNode["updates"] = {
  list: () => [],
  get: () => {
    throw new RangeError("there is none");
  },
  of: () => undefined,
  ask: async () => undefined,
  check: () => Promise.reject(new RangeError("there is none")),
  start: () => Promise.reject(new RangeError("there is none")),
  cancel: () => {
    throw new RangeError("there is none");
  },
  onChange: () => () => undefined,
  tally: () => new Map(),
};
const EMPTY_NODE: ApiNode = {
  history: NO_HISTORY,
  updates: NO_UPDATES,
  jobs: null,
  ...{
    mqttUrl: null,
    storeFile: "",
    retention: {},
    freshTraffic: () => [],
    devices: () => [],
    device: () => undefined,
    refused: () => [],
    modules: () => [],
    counters: () => ({}),
    load: () => ({ waitingFrames: 0, waitingBytes: 0, decodingFrames: 0, causes: [], heldMs: 0, times: 0 }),
  },
  ...{ health: () => ({ store: null, broker: null }), onEvent: () => () => undefined, onCommit: () => () => undefined },
};

let fleet: FleetWatch | undefined;
afterEach(() => fleet?.close());

/** A reader whose readiness the test decides. */
class Reader {
  isReady = true;
  readonly sent: { readonly event: string; readonly id: number }[] = [];

  send(event: string, id: number): void {
    this.sent.push({ event, id });
  }

  end(): void {
    this.isReady = false;
  }

  count(event: string): number {
    return this.sent.filter((message) => message.event === event).length;
  }
}

function open(
  reader: Reader,
  queue?: ApiJobs["queue"],
): { readonly clock: ManualClock; readonly log: EventLog; readonly stream: LiveStream } {
  const [clock, log] = [new ManualClock(), new EventLog()];
  fleet = new FleetWatch({ node: EMPTY_NODE, clock, log, truthOf: () => undefined });
  const wish = { table: VIEW, device: undefined, hasJobs: queue !== undefined, since: undefined };
  const jobs = queue && new JobWatch(queue, clock);
  const source = { node: EMPTY_NODE, clock, fleet, log, jobs, truthOf: () => undefined };
  return {
    clock,
    log,
    stream: new LiveStream(source, reader, wish),
  };
}

test("the table comes once a second, a heartbeat every five, and nothing after the end", () => {
  const reader = new Reader();
  const { clock, stream } = open(reader);
  clock.advance(20_000);
  expect([reader.count("fleet"), reader.count("heartbeat")]).toEqual([21, 5]);
  stream.close();
  const { length } = reader.sent;
  clock.advance(20_000);
  expect(reader.sent).toHaveLength(length);
});

test("a burst of events is told whole to a reader that keeps up, in order", () => {
  const reader = new Reader();
  const { clock, log } = open(reader);
  for (let i = 1; i <= 300; i++) log.add({ kind: "offline", device: `d${i}` }, 1_000 + i);
  clock.advance(2_000);
  const ids = reader.sent.filter(({ event }) => event === "event").map(({ id }) => id);
  expect(ids).toEqual(Array.from({ length: 300 }, (_, i) => 1_001 + i));
});

test("while a reader takes nothing, nothing is queued for it; then it gets the newest, and the events it missed", () => {
  const reader = new Reader();
  const { clock, log } = open(reader);
  reader.isReady = false;
  const { length } = reader.sent;
  for (let i = 1; i <= 300; i++) {
    log.add({ kind: "online", device: `d${i}` }, 1_000 + i);
    clock.advance(1_000);
  }
  expect(reader.sent).toHaveLength(length);
  reader.isReady = true;
  clock.advance(1_000);
  const late = reader.sent.slice(length);
  expect(late.filter(({ event }) => event === "fleet")).toHaveLength(1);
  const events = late.filter(({ event }) => event === "event").map(({ id }) => id);
  expect(events).toEqual(Array.from({ length: 50 }, (_, i) => 1_251 + i));
});

test("jobs come as soon as they are read, then once a second, however often they change", async () => {
  const reader = new Reader();
  const listeners: ((event: JobEvent) => void)[] = [];
  const queue: Pick<ApiJobs["queue"], "list" | "watch"> = {
    list: async () => [],
    watch: (listener) => {
      listeners.push(listener);
      return () => undefined;
    },
  };
  const { clock, stream } = open(reader, queue as ApiJobs["queue"]);
  await new Promise<void>((resolve) => setImmediate(resolve));
  clock.advance(200);
  expect(reader.count("jobs")).toBe(1);
  const job: Job = newRecord({ workload: "steps", params: {}, inputs: [], salt: "" }, "ab".repeat(32), 0);
  for (let i = 0; i < 50; i++) {
    for (const tell of listeners) tell({ kind: "job", job: { ...job, attempts: i } });
    clock.advance(100);
  }
  expect(reader.count("jobs")).toBe(1 + 5);
  stream.close();
});
