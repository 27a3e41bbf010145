import { stat } from "node:fs/promises";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import { isOver } from "../flash/update-record.ts";
import type { AccessControl } from "./access-control.ts";
import type { ApiNode, ApiRepublish } from "./api-node.ts";
import { DEVICE_STATES, deviceState } from "./device-state.ts";
import type { FleetWatch } from "./fleet-watch.ts";
import { RepublishMetrics } from "./republish-metrics.ts";
import { HEADER_BYTES_PER_PACKET } from "./traffic-account.ts";

/** From far below a disk's flush to far above what an acknowledgement should wait for, s. */
const COMMIT_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const RAW_BYTES = 4;

/** What metrics are made of. */
export interface MetricsOptions {
  readonly node: ApiNode;
  readonly fleet: FleetWatch;
  readonly clock: Clock;
  /** Undefined where nothing is re-published. */
  readonly republish?: ApiRepublish | undefined;
  /** Streams that are open now. */
  streams(): number;
  /** Counts of who was let in and who was not. */
  readonly access: Pick<AccessControl, "refused" | "sessions" | "failedAttempts">;
}

/** The numbers of a node, as Prometheus reads them. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #options: MetricsOptions;
  readonly #unsubscribe: () => void;
  readonly #frames: Counter;
  readonly #bytes: Counter<"layer">;
  readonly #samples: Counter;
  readonly #twins: Gauge<"state">;
  readonly #ring: Gauge<"device">;
  readonly #store: Gauge<"file">;
  readonly #errors: Counter<"kind">;
  readonly #updates: Counter<"outcome">;
  readonly #updating: Gauge;
  readonly #streams: Gauge;
  readonly #refused: Counter<"reason">;
  readonly #attempts: Counter;
  readonly #sessions: Gauge;
  readonly #memory: Gauge;
  readonly #republish: RepublishMetrics | undefined;
  readonly #waiting: Gauge<"for">;
  readonly #waitingBytes: Gauge;
  readonly #heldSeconds: Counter;
  readonly #held: Counter;

  constructor(options: MetricsOptions) {
    this.#options = options;
    const registers = [this.#registry];
    const gauge = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
      new Gauge({ name: `lockstep_${name}`, help, labelNames, registers });
    const counter = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter({ name: `lockstep_${name}_total`, help, labelNames, registers });
    this.#frames = counter("frames", "Frames taken in, of every kind.");
    this.#bytes = counter("bytes", "Bytes by layer; raw: the same samples as float32.", "layer");
    this.#samples = counter("samples", "Channel-samples confirmed.");
    this.#twins = gauge("twins", "Devices by state.", "state");
    this.#ring = gauge("ring_fill_ratio", "How full the ring of a device is, 0 to 1, as last reported.", "device");
    this.#store = gauge("store_bytes", "Size of the store's files.", "file");
    this.#errors = counter("errors", "What was refused, damaged or sent twice, by kind.", "kind");
    this.#updates = counter("updates", "Updates of devices that ended, by outcome.", "outcome");
    this.#updating = gauge("updates_running", "Devices whose update is under way or waits for its turn.");
    this.#streams = gauge("streams", "Long answers that are being sent.");
    this.#refused = counter("http_refused", "Requests and connections that were refused, by reason.", "reason");
    this.#attempts = counter("wrong_tokens", "Tokens that open nothing, shown by anybody.");
    this.#sessions = gauge("sessions", "Log-ins on the page that are not over.");
    this.#memory = new Gauge({ name: "process_resident_memory_bytes", help: "Resident memory.", registers });
    this.#republish = options.republish && new RepublishMetrics(options.republish, this.#registry);
    this.#waiting = gauge("waiting_frames", "Frames taken in that wait, for the disk or to be decoded.", "for");
    this.#waitingBytes = gauge("waiting_bytes", "Bytes that wait for the disk.");
    this.#heldSeconds = counter("held_back_seconds", "How long devices were held back because too much waited.");
    this.#held = counter("held_back", "How often devices were held back because too much waited.");
    const commits = new Histogram({
      name: "lockstep_commit_seconds",
      help: "How long the store took for a commit.",
      buckets: COMMIT_BUCKETS_S,
      registers,
    });
    const committed = counter("committed_frames", "Frames made durable.");
    this.#unsubscribe = options.node.onCommit((elapsedMs, frames) => {
      commits.observe(elapsedMs / 1000);
      committed.inc(frames);
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics, as they are now. */
  async text(): Promise<string> {
    await this.#collect();
    return await this.#registry.metrics();
  }

  close(): void {
    this.#unsubscribe();
  }

  async #collect(): Promise<void> {
    const { node, fleet, clock, streams, access } = this.#options;
    const nowUs = clock.unixUs();
    const views = node.devices();
    const sum = (of: (view: (typeof views)[number]) => number) => views.reduce((total, view) => total + of(view), 0);
    const samples = sum(({ id, birth }) => fleet.samples(id) * birth.channels.length);
    // What the node counted is the truth; a counter cannot be set, so each is made anew.
    const counted = [
      this.#frames,
      this.#bytes,
      this.#samples,
      this.#errors,
      this.#updates,
      this.#refused,
      this.#attempts,
      this.#heldSeconds,
      this.#held,
    ];
    for (const counter of counted) counter.reset();
    const load = node.load();
    this.#waiting.set({ for: "disk" }, load.waitingFrames);
    this.#waiting.set({ for: "decoding" }, load.decodingFrames);
    this.#waitingBytes.set(load.waitingBytes);
    this.#heldSeconds.inc(load.heldMs / 1000);
    this.#held.inc(load.times);
    this.#frames.inc(sum(({ traffic }) => traffic.messages));
    this.#samples.inc(samples);
    const layers = {
      payload: sum(({ traffic }) => traffic.payloadBytes),
      frame: sum(({ traffic }) => traffic.frameBytes),
      ip: sum(({ traffic: { socketBytesUp, socketBytesDown, packetsUp, packetsDown } }) => {
        return socketBytesUp + socketBytesDown + 2 * HEADER_BYTES_PER_PACKET * (packetsUp + packetsDown);
      }),
      raw: RAW_BYTES * samples,
    };
    for (const [layer, bytes] of Object.entries(layers)) this.#bytes.inc({ layer }, bytes);
    const states = views.map((view) => deviceState(view, nowUs));
    for (const state of DEVICE_STATES) this.#twins.set({ state }, states.filter((one) => one === state).length);
    for (const { id, ringFill } of views) this.#ring.set({ device: id }, ringFill);
    for (const [kind, count] of Object.entries(node.counters())) this.#errors.inc({ kind }, count);
    for (const [file, suffix] of [
      ["database", ""],
      ["log", "-wal"],
    ] as const) {
      const size = (await stat(`${node.storeFile}${suffix}`).catch(() => undefined))?.size ?? 0;
      this.#store.set({ file }, size);
    }
    for (const [outcome, count] of node.updates.tally()) this.#updates.inc({ outcome }, count);
    const running = node.updates.list().filter(({ state }) => state === "running");
    this.#updating.set(running.flatMap(({ devices }) => devices.filter(({ step }) => !isOver(step))).length);
    this.#streams.set(streams());
    for (const [reason, count] of Object.entries(access.refused.all())) this.#refused.inc({ reason }, count);
    this.#attempts.inc(access.failedAttempts);
    this.#sessions.set(access.sessions);
    this.#republish?.collect();
    this.#memory.set(process.memoryUsage.rss());
  }
}
