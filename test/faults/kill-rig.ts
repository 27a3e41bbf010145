import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SeededRandom } from "@lockstep/sim";
import { createJournal } from "./ack-journal.ts";
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
import { freePort, Mosquitto } from "./mosquitto.ts";

/** Who dies. */
export type Victim = "node" | "mosquitto" | "node and mosquitto" | "device host";

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
  /** Milliseconds by which commits come after their acknowledgements; 0: never. */
  readonly lateCommitMs?: number;
}

const MQTT_DEVICES = 3;
const TCP_DEVICES = 2;
/** A killed device host had this long to work, at least and at most. */
const HOST_LIFE_MS = { least: 5, spread: 120 };

/** A node, a mosquitto, and devices on both roads to the node, each in a process that can be killed. */
export class KillRig {
  readonly folder: string;
  readonly storeFile: string;
  readonly journalFile: string;
  readonly devices: readonly HostedDevice[];
  readonly #options: KillRigOptions;
  readonly #broker: Mosquitto;
  readonly #tcpPort: number;
  #node: ScriptProcess<NodeHostRequest, NodeHostReply>;
  #host: ScriptProcess<DeviceHostRequest, DeviceHostReply>;
  #boot = 0;

  private constructor(folder: string, broker: Mosquitto, tcpPort: number, options: KillRigOptions) {
    this.folder = folder;
    this.storeFile = join(folder, "store.db");
    this.journalFile = join(folder, "journal");
    this.#options = options;
    this.#broker = broker;
    this.#tcpPort = tcpPort;
    this.devices = Array.from({ length: MQTT_DEVICES + TCP_DEVICES }, (_, index) => ({
      id: `device-${index}`,
      index,
      url: index < MQTT_DEVICES ? broker.url : `tcp://127.0.0.1:${tcpPort}`,
    }));
    createJournal(this.journalFile);
    this.#node = this.#startNode();
    this.#host = this.#startHost();
  }

  static async start(options: KillRigOptions): Promise<KillRig> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-kill-"));
    const broker = await Mosquitto.start(folder);
    const rig = new KillRig(folder, broker, await freePort(), options);
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
    this.#node.send({ kind: "report" });
    return (await this.#node.reply("report")).twins;
  }

  /** kill -9 of the node once more, and what the next one makes of the store alone. */
  async reportAfterRestart(): Promise<readonly TwinReport[]> {
    await this.#host.kill();
    await this.#node.kill();
    this.#node = this.#startNode();
    await this.#node.reply("ready");
    return this.report();
  }

  /** End everything; the files stay until `remove`. */
  async stop(): Promise<void> {
    await Promise.all([this.#host.kill(), this.#node.kill(), this.#broker.stop()]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #killServers(victim: Exclude<Victim, "device host">): Promise<Kill> {
    const pids = [
      ...(victim === "mosquitto" ? [] : [this.#node.pid]),
      ...(victim === "node" ? [] : [this.#broker.pid]),
    ];
    this.#host.send({ kind: "kill", pids });
    const { unacknowledged } = await this.#host.reply("killed");
    const broker = victim === "node" ? undefined : this.#broker.restart();
    if (victim !== "mosquitto") {
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
      brokerUrl: this.#broker.url,
      tcpPort: this.#tcpPort,
      lateCommitMs,
    };
    return new ScriptProcess("node-host.ts", order);
  }

  #startHost(): ScriptProcess<DeviceHostRequest, DeviceHostReply> {
    const { folder, devices } = this;
    const order: DeviceHostOrder = { seed: this.#options.seed, boot: this.#boot++, devices, folder };
    return new ScriptProcess("device-host.ts", order);
  }
}
