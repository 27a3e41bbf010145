import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudNode,
  type CloudNodeOptions,
  DeviceBook,
  type DeviceCredentials,
  SILENT_LOGGER,
  systemClock,
} from "@lockstep/cloud-node";
import {
  compileDeviceModule,
  DeviceSession,
  mqttTransport,
  planChannel,
  systemRandom,
  type Transport,
} from "@lockstep/edge-sdk";

export const GROUP = "lockstep";
export const HOST = "127.0.0.1";
/** The device that is attacked, and the one that attacks: both were added. */
export const VICTIM = "pump";
export const THIEF = "thief";

const MODULE = compileDeviceModule(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));
const CHANNELS = [planChannel({ name: "pressure", eps: 0.5, min: 0, max: 100 })];
const LIMIT_MS = 20_000;
const clock = systemClock();
const random = systemRandom();

/** A node with devices of its book, or without any: then everybody may do everything, and each attack must succeed. */
export class Target {
  readonly folder = mkdtempSync(join(tmpdir(), "lockstep-attack-"));
  readonly storeFile = join(this.folder, "node.db");
  readonly credentials = new Map<string, DeviceCredentials>();
  readonly #sessions: DeviceSession[] = [];
  readonly #cleanup: (() => Promise<void>)[] = [];
  #node: CloudNode | undefined;

  readonly isGuarded: boolean;

  private constructor(isGuarded: boolean) {
    this.isGuarded = isGuarded;
  }

  /** @param isGuarded  whether devices are added: its victim and its thief */
  static async of(isGuarded: boolean): Promise<Target> {
    const target = new Target(isGuarded);
    if (isGuarded) for (const id of [VICTIM, THIEF]) await target.add(id);
    return target;
  }

  get node(): CloudNode {
    if (this.#node === undefined) throw new RangeError("the target was not started");
    return this.#node;
  }

  get book(): DeviceBook {
    return new DeviceBook(this.storeFile);
  }

  /** Where its broker is. */
  get url(): string {
    return this.node.mqttUrl ?? "";
  }

  get tcpUrl(): string {
    return `tcp://${HOST}:${this.node.tcpPort}`;
  }

  async add(id: string): Promise<void> {
    this.credentials.set(id, await this.book.add(id, { hasMac: false, added: "2026-01-01T00:00:00Z" }));
  }

  passwordOf(id: string): string {
    return this.credentials.get(id)?.secret ?? "no secret";
  }

  async start(changes: Partial<CloudNodeOptions> = {}): Promise<this> {
    this.#node = await CloudNode.open({
      storeFile: this.storeFile,
      broker: { kind: "embedded", port: 0, host: HOST },
      tcpPort: 0,
      tcpHost: HOST,
      acks: { everyFrames: 1, ageMs: 50 },
      logger: SILENT_LOGGER,
      clock,
      ...changes,
    });
    return this;
  }

  /** A device that runs the real link. */
  async device(id: string, transport: Transport): Promise<DeviceSession> {
    const timing = { frameSamples: 10, periodNs: 1e7, silenceMs: 60_000 };
    const parts = { channels: CHANNELS, ...timing, module: MODULE, clock, random };
    const session = await DeviceSession.open({ device: id, transport, ...parts });
    this.#sessions.push(session);
    return session;
  }

  /** The victim, known to the node and with nothing more to say. */
  async victim(): Promise<DeviceSession> {
    const login = { password: this.passwordOf(VICTIM) };
    const session = await this.device(
      VICTIM,
      mqttTransport({ url: this.url, group: GROUP, device: VICTIM, clock, random, ...login }),
    );
    if (!(await speaks(session))) throw new RangeError("the victim is not heard");
    return session;
  }

  /** Messages in the victim's name that the node took for its own and could not read. */
  get harm(): number {
    return this.node.device(VICTIM)?.refused ?? 0;
  }

  /** End something together with the target. */
  onClose(end: () => Promise<void>): void {
    this.#cleanup.push(end);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session.destroy();
    for (const end of this.#cleanup) await end();
    await this.#node?.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Whether the node confirms what a device says. */
export async function speaks(session: DeviceSession, limitMs = LIMIT_MS): Promise<boolean> {
  for (let sample = 0; sample < 10; sample += 1) session.push([sample]);
  session.flush();
  return await session.drained(limitMs);
}

/** Whether something becomes so within a limit. */
export async function becomes(isMet: () => boolean, limitMs: number): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (!isMet()) {
    if (performance.now() > endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
