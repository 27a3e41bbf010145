import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type BrokerOptions,
  type Clock,
  CloudNode,
  SILENT_LOGGER,
  systemClock,
  type Timer,
} from "@lockstep/cloud-node";
import { Mosquitto } from "../faults/mosquitto.ts";
import type { BenchGoal, BenchOptions, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import type { LatencyAnswer, LatencyTask } from "./latency-device.ts";
import { RATE_HZ } from "./rotor-session.ts";

const WARM_UP_SECONDS = 3;
const SECONDS = 20;
const QUICK_SECONDS = 5;
const COMMIT_MS = 10;
/** Fine enough for every sample to make a frame: a tenth of the noise. */
const EPS = 0.001;
const MQTT_EMBEDDED = "MQTT, embedded aedes";
const ROADS = [MQTT_EMBEDDED, "MQTT, mosquitto", "TCP"] as const;
type Road = (typeof ROADS)[number];

interface Delays {
  readonly p50: number;
  readonly p99: number;
}

/** Delays from sample to twin and from frame to acknowledgement, on every road, and what the device's process costs. */
export async function benchLatency({ isQuick }: BenchOptions): Promise<BenchReport> {
  const seconds = isQuick === true ? QUICK_SECONDS : SECONDS;
  const rows: (string | number)[][] = [];
  const goals: BenchGoal[] = [];
  for (const road of ROADS) {
    const watched = await onRoad(road, seconds, reconstruction);
    const reconstructed = quantiles(watched.delaysMs);
    const firstEcho = quantiles(watched.echoMs);
    const left = await onRoad(road, seconds, (_node, task) => runDevice(task));
    const committed = quantiles(left.committedMs);
    const secondEcho = quantiles(left.echoMs);
    rows.push(row(road, "sample to reconstructed", watched.delaysMs.length, reconstructed, firstEcho));
    rows.push(row(road, "frame to acknowledged commit", left.committedMs.length, committed, secondEcho));
    goals.push(
      { what: `${road}: sample to reconstructed, p99`, measured: reconstructed.p99, unit: "ms", must: { below: 10 } },
      { what: `${road}: frame to acknowledged commit, p99`, measured: committed.p99, unit: "ms", must: { below: 50 } },
    );
  }
  const [bySample, bySecond] = await onRoad(MQTT_EMBEDDED, seconds, (_node, task) =>
    Promise.all(
      [1, RATE_HZ].map((frameSamples) => deviceAlone({ ...task, frameSamples, device: `cpu-${frameSamples}` })),
    ),
  );
  return {
    title: "Latency on one machine, and what a device costs",
    goals: [
      ...goals,
      {
        what: "device process, 100 Hz x 6 channels, frames of 1 sample",
        measured: bySample ?? Number.NaN,
        unit: "% of a core",
        must: { below: 5 },
      },
      {
        what: "device process, 100 Hz x 6 channels, frames of 1 s",
        measured: bySecond ?? Number.NaN,
        unit: "% of a core",
        must: { below: 5 },
      },
    ],
    columns: [
      "road",
      "delay",
      "frames",
      "p50, ms",
      "p99, ms",
      "plain round trip p50, ms",
      "p99, ms",
      "ratio p50",
      "ratio p99",
    ],
    rows,
    notes: [
      `Input: the rotor at ${RATE_HZ} Hz, 6 channels, eps ${EPS}, so that every sample makes a frame; ${seconds} s after ${WARM_UP_SECONDS} s of warm-up per row. Device, node and mosquitto are processes of their own on the same machine.`,
      "Reconstructed: from push() in the device to the moment at which the node's twin counts the sample as decoded and verified. The twin is asked whenever the node has read its clock, which it does as a frame arrives; what asking costs is inside.",
      `Acknowledged commit: from push() to the acknowledgement that covers the frame, in the device; the node commits ${COMMIT_MS} ms after the first frame that waits, with synchronous=FULL, and acknowledges every frame, which it does not do by default.`,
      "Plain round trip, between the samples of the same run: a 24-byte message of a client of its own to the broker and back (QoS 0); for TCP an echo server in the node's process. As many hops as from the device to the twin. mosquitto runs with set_tcp_nodelay.",
      "Cost of a device: user and system time of its process over wall time, session, codec, mqtt.js and signal included, at eps 0.05.",
    ],
  };
}

function row(road: Road, what: string, count: number, { p50, p99 }: Delays, echo: Delays): (string | number)[] {
  const shown = [p50, p99, echo.p50, echo.p99, p50 / echo.p50, p99 / echo.p99].map((ms) => Number(ms.toPrecision(3)));
  return [road, what, count, ...shown];
}

function quantiles(delaysMs: readonly number[]): Delays {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** A fresh node at the end of one road, and what a device needs to know to take it. */
async function onRoad<T>(
  road: Road,
  seconds: number,
  act: (node: CloudNode, task: LatencyTask, clock: WatchedClock) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-latency-"));
  const mosquitto = road === "MQTT, mosquitto" ? await Mosquitto.start(folder) : undefined;
  const echo = createServer({ noDelay: true }, (socket) => socket.on("error", () => socket.destroy()).pipe(socket));
  await once(echo.listen(0, "127.0.0.1"), "listening");
  const embedded: BrokerOptions = { kind: "embedded", port: 0, host: "127.0.0.1" };
  const clock = new WatchedClock();
  const node = await CloudNode.open({
    storeFile: join(folder, "lockstep.db"),
    broker: road === "TCP" ? null : mosquitto === undefined ? embedded : { kind: "external", url: mosquitto.url },
    tcpPort: road === "TCP" ? 0 : null,
    tcpHost: "127.0.0.1",
    acks: { everyFrames: 1, ageMs: 1000 },
    commitMs: COMMIT_MS,
    logger: SILENT_LOGGER,
    clock,
  });
  try {
    const address = echo.address();
    const echoPort = typeof address === "object" && address !== null ? address.port : 0;
    const url = node.mqttUrl ?? `tcp://127.0.0.1:${node.tcpPort}`;
    const echoUrl = node.mqttUrl ?? `tcp://127.0.0.1:${echoPort}`;
    return await act(
      node,
      {
        device: "rotor",
        url,
        echoUrl,
        frameSamples: 1,
        eps: EPS,
        warmUpSeconds: WARM_UP_SECONDS,
        seconds,
      },
      clock,
    );
  } finally {
    await node.close();
    await mosquitto?.stop();
    echo.close();
    rmSync(folder, { recursive: true });
  }
}

/** The device in a process of its own. */
async function runDevice(task: LatencyTask): Promise<LatencyAnswer> {
  const script = fileURLToPath(new URL("latency-device.ts", import.meta.url));
  const child = fork(script, [JSON.stringify(task)], { serialization: "advanced" });
  return await new Promise((resolve, reject) => {
    child.once("message", (answer) => resolve(answer as LatencyAnswer));
    child.once("exit", (code) => reject(new BenchError("no-answer", { device: task.device, exitCode: code ?? -1 })));
  });
}

/** When each sample was in the twin, against when it was pushed. */
async function reconstruction(node: CloudNode, task: LatencyTask, clock: WatchedClock) {
  const arrivals: { readonly samples: number; readonly atMs: number }[] = [];
  clock.watch(() => {
    const samples = node.device(task.device)?.receivedSamples ?? 0;
    const atMs = Number(process.hrtime.bigint()) / 1e6;
    if (samples !== (arrivals.at(-1)?.samples ?? 0)) arrivals.push({ samples, atMs });
  });
  const { sent, echoMs } = await runDevice(task);
  let next = 0;
  const delaysMs = sent.map(({ samples, atMs }) => {
    while ((arrivals[next]?.samples ?? Number.POSITIVE_INFINITY) < samples) next += 1;
    return (arrivals[next]?.atMs ?? Number.NaN) - atMs;
  });
  return { delaysMs, echoMs };
}

/**
 * The computer's clock, which tells when it was read: the node reads it as a frame arrives, and has decoded the frame when
 * it next gives way. Asking it in a loop instead would keep a core busy and measure the scheduler.
 */
class WatchedClock implements Clock {
  readonly #clock = systemClock();
  #look: (() => void) | undefined;
  #isLooking = false;

  /** Run `look` after everything that read the clock. */
  watch(look: () => void): void {
    this.#look = look;
  }

  nowMs(): number {
    if (this.#look !== undefined && !this.#isLooking) {
      this.#isLooking = true;
      queueMicrotask(() => {
        this.#look?.();
        this.#isLooking = false;
      });
    }
    return this.#clock.nowMs();
  }

  unixUs(): number {
    return this.#clock.unixUs();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#clock.setTimer(callback, delayMs);
  }
}

/** Share of one core, %. */
async function deviceAlone(task: LatencyTask): Promise<number> {
  const { cpuMs, wallMs } = await runDevice({ ...task, echoUrl: undefined, eps: 0.05 });
  return (100 * cpuMs) / wallMs;
}
