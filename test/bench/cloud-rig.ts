import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { YOUNG_HEAP_FLAG } from "@lockstep/cloud-node/young-heap";
import { ScriptProcess } from "../faults/child-process.ts";
import { Mosquitto } from "../faults/mosquitto.ts";
import { NatsServer } from "../faults/nats-server.ts";
import { auditStore, auditTable, type CloudAudit } from "./cloud-audit.ts";
import type {
  CloudHostOrder,
  CloudHostReply,
  CloudHostRequest,
  CloudUsage,
  DeviceTruth,
  FleetOrder,
  FleetReply,
  FleetRequest,
  RunTally,
} from "./cloud-messages.ts";
import { FrameTemplate } from "./cloud-template.ts";
import type { Cargo } from "./light-device.ts";

/** The brokers that a node is measured with. */
export const CLOUD_BROKERS = ["embedded", "mosquitto", "nats"] as const;
export type CloudBroker = (typeof CLOUD_BROKERS)[number];

/** What is measured. */
export interface CloudPlan {
  readonly broker: CloudBroker;
  readonly devices: number;
  readonly cargo?: Cargo;
  readonly threads?: number;
  /** Frames that a device can send. */
  readonly frames: number;
  readonly slowCommitMs?: number;
}

const GROUP = "bench";
/** Different signals; more devices than these share them. */
const TEMPLATES = 4;
const CONNECT_LIMIT_MS = 300_000;
/** Linux counts processor time in hundredths of a second. */
const MS_PER_TICK = 10;

/** Broker, node and fleet, each in a process of its own, and their files. */
export class CloudRig {
  readonly #plan: CloudPlan;
  readonly #folder: string;
  readonly #broker: Mosquitto | NatsServer | undefined;
  #host: ScriptProcess<CloudHostRequest, CloudHostReply>;
  readonly #fleet: ScriptProcess<FleetRequest, FleetReply>;
  /** Frames of each device whose delays were told. */
  readonly #counted = new Map<string, number>();
  #isNodeStopped = false;

  private constructor(
    plan: CloudPlan,
    folder: string,
    broker: Mosquitto | NatsServer | undefined,
    host: ScriptProcess<CloudHostRequest, CloudHostReply>,
    fleet: ScriptProcess<FleetRequest, FleetReply>,
  ) {
    this.#plan = plan;
    this.#folder = folder;
    this.#broker = broker;
    this.#host = host;
    this.#fleet = fleet;
  }

  /** Start all, and connect the fleet. */
  static async start(plan: CloudPlan): Promise<CloudRig> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-cloud-"));
    const broker = await startBroker(plan.broker, folder);
    const { host, port } = await startHost(plan, folder, broker?.url ?? null);
    const { devices, cargo = "lockstep", frames } = plan;
    const order: FleetOrder = {
      port: broker?.port ?? port,
      group: GROUP,
      devices,
      cargo,
      templates: TEMPLATES,
      frames,
    };
    const fleet = new ScriptProcess<FleetRequest, FleetReply>("../bench/cloud-fleet.ts", order);
    await fleet.reply("ready", CONNECT_LIMIT_MS);
    const rig = new CloudRig(plan, folder, broker, host, fleet);
    fleet.send({ kind: "connect" });
    await fleet.reply("connected", CONNECT_LIMIT_MS);
    await rig.usage();
    return rig;
  }

  async run(run: Omit<Extract<FleetRequest, { kind: "run" }>, "kind">): Promise<RunTally> {
    this.#fleet.send({ kind: "run", ...run });
    return await this.#fleet.reply("ran", 1000 * run.seconds + CONNECT_LIMIT_MS);
  }

  async drain(limitMs: number): Promise<{ readonly unconfirmed: number; readonly ms: number }> {
    this.#fleet.send({ kind: "drain", limitMs });
    return await this.#fleet.reply("drained", limitMs + CONNECT_LIMIT_MS);
  }

  /** What the node's process used since it was last asked. */
  async usage(): Promise<CloudUsage> {
    this.#host.send({ kind: "usage" });
    return await this.#host.reply("usage");
  }

  /** Processor time of the broker so far, ms; 0 for the node's own, which the node's holds. */
  brokerCpuMs(): number {
    if (this.#broker === undefined) return 0;
    const fields = readFileSync(`/proc/${this.#broker.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  }

  /** Bytes of the store's files. */
  storeBytes(): number {
    const sizes = ["", "-wal"].map(
      (suffix) => statSync(`${this.#storeFile}${suffix}`, { throwIfNoEntry: false })?.size,
    );
    return sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
  }

  async truths(withTimes = false): Promise<readonly DeviceTruth[]> {
    this.#fleet.send({ kind: "account", withTimes });
    return (await this.#fleet.reply("account")).devices;
  }

  /** From when a frame was sent to when the node had it on disk, ms, of every frame since this was last asked. */
  async commitDelaysMs(): Promise<number[]> {
    this.#host.send({ kind: "commits" });
    const { devices } = await this.#host.reply("commits");
    const delays: number[] = [];
    for (const { device, sentMs } of await this.truths(true)) {
      let seq = this.#counted.get(device) ?? 0;
      const own = devices[device] ?? [];
      for (let i = 0; i < own.length; i += 2) {
        const [next = 0, atMs = 0] = own.slice(i, i + 2);
        for (; seq < next; seq += 1) delays.push(atMs - (sentMs[seq] ?? Number.NaN));
      }
      this.#counted.set(device, seq);
    }
    return delays;
  }

  /** kill -9, and start again at once. */
  async killNode(): Promise<void> {
    await this.#host.kill();
    this.#host = (await startHost(this.#plan, this.#folder, this.#broker?.url ?? null)).host;
  }

  async killBroker(): Promise<void> {
    if (!(this.#broker instanceof Mosquitto)) return;
    await this.#broker.stop();
    await this.#broker.restart();
  }

  /** Stop the node, and compare what it stored with what each device knows. */
  async audit(): Promise<CloudAudit> {
    const truths = await this.truths();
    await this.#stopNode();
    const { cargo = "lockstep", frames } = this.#plan;
    if (cargo !== "lockstep") return auditTable(this.#storeFile, truths);
    const templates: FrameTemplate[] = [];
    for (let seed = 1; seed <= TEMPLATES; seed += 1) templates.push(await FrameTemplate.make(seed, frames));
    return await auditStore(this.#storeFile, truths, templates);
  }

  async stop(): Promise<void> {
    await this.#fleet.kill();
    await this.#host.kill();
    await this.#broker?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #storeFile(): string {
    return join(this.#folder, "node.db");
  }

  async #stopNode(): Promise<void> {
    if (this.#isNodeStopped) return;
    this.#isNodeStopped = true;
    this.#host.send({ kind: "stop" });
    await this.#host.reply("stopped");
  }
}

async function startBroker(kind: CloudBroker, folder: string): Promise<Mosquitto | NatsServer | undefined> {
  if (kind === "embedded") return undefined;
  return kind === "mosquitto" ? await Mosquitto.start(folder) : await NatsServer.start(folder);
}

async function startHost(plan: CloudPlan, folder: string, brokerUrl: string | null) {
  const { cargo = "lockstep", threads, slowCommitMs = 0 } = plan;
  const storeFile = join(folder, "node.db");
  const order: CloudHostOrder = { storeFile, brokerUrl, group: GROUP, threads, cargo, slowCommitMs };
  // As `lockstep serve` starts.
  const flags = [YOUNG_HEAP_FLAG];
  const host = new ScriptProcess<CloudHostRequest, CloudHostReply>("../bench/cloud-host.ts", order, undefined, flags);
  const { port } = await host.reply("ready");
  return { host, port };
}
