import type { HistoryVerdict } from "@lockstep/sim";
import { HttpServer } from "../../api/http-server.ts";
import { accountTraffic, type TrafficAccount } from "../../api/traffic-account.ts";
import { InvariantError } from "../../invariant-error.ts";
import { SILENT_LOGGER } from "../../logger.ts";
import { CloudNode } from "../../node.ts";
import { DEFAULT_GROUP } from "../../node-doors.ts";
import type { TwinView } from "../../reconstructor/twin-view.ts";
import { DEFAULT_HTTP_PORT, LOOPBACK_HOST } from "../defaults.ts";
import { nodeWorker, type StartedWorker } from "../jobs/start-worker.ts";
import { openPage } from "../serve.ts";
import type { Surroundings } from "../surroundings.ts";
import { LiveTruth } from "../truth/live-truth.ts";
import { TruthBudget } from "../truth/truth-ring.ts";
import { DEMO_DEVICES, demoSignal } from "./demo-devices.ts";
import { type DemoResult, deviceResult } from "./demo-result.ts";
import { EdgeHost } from "./edge-host.ts";
import type { EdgeStatus } from "./edge-messages.ts";
import { RecentTrace } from "./recent-trace.ts";

/** What the demo runs with. */
export interface DemoPlan {
  readonly storeFile: string;
  readonly seed: number;
  /** undefined: 8080, or the next one that is free. */
  readonly httpPort: number | undefined;
}

/** Original values kept of both devices together: over half an hour of them, 32 MB. */
const MOST_TRUE_VALUES = 2 ** 22;
/** Jobs at once: what is handed in on the page's advice is done. */
const JOB_THREADS = 1;
/** How many ports after 8080 are tried. */
const MORE_PORTS = 100;

/** Broker, cloud node, page and two devices, all on this machine. */
export class DemoSession {
  readonly node: CloudNode;
  readonly page: HttpServer;
  readonly edge: EdgeHost;
  readonly startedMs: number;
  readonly #worker: StartedWorker;
  readonly #around: Surroundings;
  readonly #storeFile: string;
  readonly #truths: ReadonlyMap<string, LiveTruth>;
  readonly #traces: ReadonlyMap<string, RecentTrace>;
  readonly #statuses: Map<string, EdgeStatus>;

  private constructor(parts: {
    around: Surroundings;
    storeFile: string;
    node: CloudNode;
    page: HttpServer;
    edge: EdgeHost;
    worker: StartedWorker;
    truths: ReadonlyMap<string, LiveTruth>;
    traces: ReadonlyMap<string, RecentTrace>;
    statuses: Map<string, EdgeStatus>;
  }) {
    this.node = parts.node;
    this.page = parts.page;
    this.edge = parts.edge;
    this.#worker = parts.worker;
    this.#around = parts.around;
    this.#storeFile = parts.storeFile;
    this.#truths = parts.truths;
    this.#traces = parts.traces;
    this.#statuses = parts.statuses;
    this.startedMs = parts.around.clock.nowMs();
  }

  /**
   * Start everything.
   *
   * @throws {CommandError} `port-in-use`, `missing-part`; and what the node throws
   */
  static async open(around: Surroundings, { storeFile, seed, httpPort }: DemoPlan): Promise<DemoSession> {
    const { clock } = around;
    const truths = new Map<string, LiveTruth>();
    const budget = new TruthBudget(MOST_TRUE_VALUES);
    const traces = new Map(DEMO_DEVICES.map(({ id }) => [id, new RecentTrace()]));
    const statuses = new Map<string, EdgeStatus>();
    const node = await CloudNode.open({
      storeFile,
      broker: { kind: "embedded", port: 0, host: LOOPBACK_HOST },
      jobs: `sqlite:${storeFile}.jobs`,
      logger: SILENT_LOGGER,
      clock,
    });
    let page: HttpServer | undefined;
    let worker: StartedWorker | undefined;
    try {
      if (node.jobs === null) throw new InvariantError("the demo's node has no queue");
      worker = await nodeWorker(node.jobs, JOB_THREADS, { clock, logger: SILENT_LOGGER });
      page = await openPage(HttpServer.open, {
        node,
        clock,
        logger: SILENT_LOGGER,
        host: LOOPBACK_HOST,
        port: httpPort ?? DEFAULT_HTTP_PORT,
        morePorts: httpPort === undefined ? MORE_PORTS : 0,
        truthOf: (id) => truths.get(id),
      });
      node.onEvent((event) => {
        if (event.kind !== "confirmed") return;
        const view = node.device(event.device);
        if (view === undefined) return;
        traces.get(view.id)?.add(view.recent(0, event.samples));
        truths.get(view.id)?.observe(view, event.samples);
      });
      const place = { url: node.mqttUrl ?? "", group: DEFAULT_GROUP, seed };
      const edge = await EdgeHost.start(place, (devices) => {
        for (const status of devices) {
          statuses.set(status.id, status);
          const device = DEMO_DEVICES.find(({ id }) => id === status.id);
          if (device === undefined || truths.has(status.id)) continue;
          const { eps, startUs } = status;
          truths.set(status.id, new LiveTruth({ signal: demoSignal(device, seed), eps, startUs }, budget));
        }
      });
      return new DemoSession({ around, storeFile, node, page, edge, worker, truths, traces, statuses });
    } catch (error) {
      await page?.close();
      await worker?.stop();
      await node.close();
      throw error;
    }
  }

  /** What is known of a device's real values. */
  truthOf(id: string): LiveTruth | undefined {
    return this.#truths.get(id);
  }

  /** What a device cost since the start. */
  accountOf(view: TwinView): TrafficAccount {
    return accountTraffic(view.traffic, this.page.samplesOf(view.id), view.birth.channels.length);
  }

  /** The last minute of a device's first channel. */
  traceOf(id: string): RecentTrace | undefined {
    return this.#traces.get(id);
  }

  /** What a device last said of itself. */
  statusOf(id: string): EdgeStatus | undefined {
    return this.#statuses.get(id);
  }

  /**
   * Stop the devices, close the node, open the store again, and compare it with what the devices measured.
   */
  async finish(): Promise<{ readonly result: DemoResult; readonly verdicts: readonly HistoryVerdict[] }> {
    try {
      const stopped = await this.edge.stop();
      const ends = stopped.devices.map((summary) => {
        const view = this.node.device(summary.id);
        if (view === undefined) return undefined;
        return { summary, account: this.accountOf(view), latencyMs: view.latencyMs };
      });
      await this.#closeCloud();
      const verdicts = await this.edge.verify(this.#storeFile);
      const devices = ends.flatMap((end) => {
        const verdict = verdicts.find(({ id }) => id === end?.summary.id);
        return end === undefined || verdict === undefined ? [] : [deviceResult({ ...end, verdict })];
      });
      const { cpuMs, wallMs } = stopped;
      return { result: { devices, cpuShareEdge: cpuMs / wallMs, wallSeconds: wallMs / 1000 }, verdicts };
    } finally {
      await this.close();
    }
  }

  /** End everything, whatever state it is in. */
  async close(): Promise<void> {
    await this.edge.close();
    await this.#closeCloud();
  }

  /** How long it has been running, ms. */
  get upMs(): number {
    return this.#around.clock.nowMs() - this.startedMs;
  }

  async #closeCloud(): Promise<void> {
    await this.page.close();
    await this.#worker.stop();
    await this.node.close();
  }
}
