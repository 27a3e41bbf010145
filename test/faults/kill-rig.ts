import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SeededRandom } from "@lockstep/sim";
import { createJournal } from "./ack-journal.ts";
import { type BrokerProcess, freePort } from "./broker-process.ts";
import { LIMIT_MS, ScriptProcess } from "./child-process.ts";
import type {
  DeviceHostOrder,
  DeviceHostReply,
  DeviceHostRequest,
  HostedDevice,
  NodeHostOrder,
  NodeHostReply,
  NodeHostRequest,
  TwinReport,
} from "./messages.ts";
import { Mosquitto } from "./mosquitto.ts";
import { NatsServer } from "./nats-server.ts";

/** Who dies. */
export type Victim = "node" | "broker" | "node and broker" | "device host";

/** The broker between devices and node; the embedded one dies with its node. */
export type RigBroker = "embedded" | "mosquitto" | "nats-server";

/** One kill, as it was seen from outside. */
export interface Kill {
  /** Frames that no ack had covered when the victim died. */
  readonly unacknowledged: number;
  /** From the kill to the moment at which every device had had another frame confirmed, restart of the process included. */
  readonly recoveryMs: number;
}

export interface KillRigOptions {
  readonly seed: number;
  readonly random: SeededRandom;
  /** mosquitto unless given. */
  readonly broker?: RigBroker;
  /** Milliseconds by which commits come after their acknowledgements; 0: never. */
  readonly lateCommitMs?: number;
  /** Of the node's process, given the folder of its store; that of this process unless given. */
  nodeEnvironment?(folder: string): NodeJS.ProcessEnv;
}

const MQTT_DEVICES = 3;
const TCP_DEVICES = 2;
/** A killed device host had this long to work, at least and at most. */
const HOST_LIFE_MS = { least: 5, spread: 120 };
/** A node takes about half of it to be ready. */
const STORM_LIFE_MS = 600;

/** A node, a broker, and devices on both roads to the node, each in a process that can be killed. */
export class KillRig {
  readonly folder: string;
  readonly storeFile: string;
  readonly journalFile: string;
  readonly devices: readonly HostedDevice[];
  readonly #options: KillRigOptions;
  /** None where it is the node's own. */
  readonly #broker: BrokerProcess | undefined;
  readonly #mqttPort: number;
  readonly #tcpPort: number;
  #node: ScriptProcess<NodeHostRequest, NodeHostReply>;
  #host: ScriptProcess<DeviceHostRequest, DeviceHostReply>;
  #boot = 0;

  private constructor(
    folder: string,
    broker: BrokerProcess | undefined,
    ports: { readonly mqtt: number; readonly tcp: number },
    options: KillRigOptions,
  ) {
    this.folder = folder;
    this.storeFile = join(folder, "store.db");
    this.journalFile = join(folder, "journal");
    this.#options = options;
    this.#broker = broker;
    this.#mqttPort = ports.mqtt;
    this.#tcpPort = ports.tcp;
    this.devices = Array.from({ length: MQTT_DEVICES + TCP_DEVICES }, (_, index) => ({
      id: `device-${index}`,
      index,
      url: index < MQTT_DEVICES ? `mqtt://127.0.0.1:${ports.mqtt}` : `tcp://127.0.0.1:${ports.tcp}`,
    }));
    createJournal(this.journalFile);
    this.#node = this.#startNode();
    this.#host = this.#startHost();
  }

  static async start(options: KillRigOptions): Promise<KillRig> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-kill-"));
    const broker = await startBroker(options.broker ?? "mosquitto", folder);
    const ports = { mqtt: broker?.port ?? (await freePort()), tcp: await freePort() };
    const rig = new KillRig(folder, broker, ports, options);
    await rig.#node.reply("ready");
    await rig.#host.reply("ready");
    return rig;
  }

  /** Kill while frames are unacknowledged, start again what was killed, and wait until every device makes progress. */
  async kill(victim: Victim): Promise<Kill> {
    return victim === "device host" ? this.#killHost() : this.#killServers(victim);
  }

  /** No more samples; everything in the rings is to be confirmed. */
  async drain(): Promise<Extract<DeviceHostReply, { kind: "drained" }>> {
    this.#host.send({ kind: "drain", limitMs: LIMIT_MS });
    return this.#host.reply("drained", 2 * LIMIT_MS);
  }

  /** What the running node has. */
  async report(): Promise<readonly TwinReport[]> {
    return (await this.#ask()).twins;
  }

  /** What the running node has counted. */
  async counters(): Promise<Readonly<Record<string, number>>> {
    return (await this.#ask()).counters;
  }

  /**
   * kill -9 of the node, so many times, and each time again before or shortly after it is ready; the last one stays.
   *
   * @param isReady  false where it cannot become ready
   */
  async storm(count: number, { isReady = true } = {}): Promise<void> {
    const { random } = this.#options;
    for (let i = 0; i < count; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, STORM_LIFE_MS * random.uniform()));
      await this.#node.kill();
      this.#node = this.#startNode();
    }
    if (isReady) await this.#node.reply("ready");
  }

  /** kill -9 of the broker, which stays away. */
  async stopBroker(): Promise<void> {
    await this.#broker?.stop();
  }

  async startBroker(): Promise<void> {
    await this.#broker?.restart();
  }

  /** kill -9 of the node, and a new one. @throws {ProcessError} when it does not become ready */
  async restartNode(): Promise<void> {
    await this.#node.kill();
    this.#node = this.#startNode();
    await this.#node.reply("ready");
  }

  /** kill -9 of the node once more, and what the next one makes of the store alone. */
  async reportAfterRestart(): Promise<readonly TwinReport[]> {
    await this.#host.kill();
    await this.restartNode();
    return this.report();
  }

  /** End everything; the files stay until `remove`. */
  async stop(): Promise<void> {
    await Promise.all([this.#host.kill(), this.#node.kill(), this.#broker?.stop()]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #ask(): Promise<Extract<NodeHostReply, { kind: "report" }>> {
    this.#node.send({ kind: "report" });
    return this.#node.reply("report");
  }

  async #killServers(victim: Exclude<Victim, "device host">): Promise<Kill> {
    const pids = [
      ...(victim === "broker" ? [] : [this.#node.pid]),
      ...(victim === "node" || this.#broker === undefined ? [] : [this.#broker.pid]),
    ];
    this.#host.send({ kind: "kill", pids });
    const { unacknowledged } = await this.#host.reply("killed");
    const broker = victim === "node" ? undefined : this.#broker?.restart();
    if (victim !== "broker") {
      await this.#node.ended();
      await broker;
      this.#node = this.#startNode();
      await this.#node.reply("ready");
    }
    await broker;
    const { afterMs } = await this.#host.reply("recovered");
    return { unacknowledged, recoveryMs: afterMs };
  }

  /**
   * The moment is any at all, even between two writes of a ring file, so that only the next boot can tell what was
   * unacknowledged: what it finds in the rings. A kill that found them empty does not count, and is done again.
   */
  async #killHost(): Promise<Kill> {
    const { random } = this.#options;
    for (;;) {
      const lifeMs = HOST_LIFE_MS.least + HOST_LIFE_MS.spread * random.uniform();
      await new Promise((resolve) => setTimeout(resolve, lifeMs));
      await this.#host.kill();
      const killedMs = performance.now();
      this.#host = this.#startHost();
      const { adoptedFrames } = await this.#host.reply("ready");
      if (adoptedFrames > 0) return { unacknowledged: adoptedFrames, recoveryMs: performance.now() - killedMs };
    }
  }

  #startNode(): ScriptProcess<NodeHostRequest, NodeHostReply> {
    const { lateCommitMs = 0 } = this.#options;
    const order: NodeHostOrder = {
      storeFile: this.storeFile,
      broker:
        this.#broker === undefined
          ? { kind: "embedded", port: this.#mqttPort, host: "127.0.0.1" }
          : { kind: "external", url: this.#broker.url },
      tcpPort: this.#tcpPort,
      lateCommitMs,
    };
    return new ScriptProcess("node-host.ts", order, this.#options.nodeEnvironment?.(this.folder));
  }

  #startHost(): ScriptProcess<DeviceHostRequest, DeviceHostReply> {
    const { folder, devices } = this;
    const order: DeviceHostOrder = { seed: this.#options.seed, boot: this.#boot++, devices, folder };
    return new ScriptProcess("device-host.ts", order);
  }
}

async function startBroker(broker: RigBroker, folder: string): Promise<BrokerProcess | undefined> {
  if (broker === "embedded") return undefined;
  return broker === "mosquitto" ? Mosquitto.start(folder) : NatsServer.start(folder);
}
