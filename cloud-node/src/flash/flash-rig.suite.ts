import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Loopback, mqttTransport, selfTestDigest, systemClock, type Transport, tcpTransport } from "@lockstep/edge-sdk";
import { ANY_SLOT } from "@lockstep/protocol";
import { expect, vi } from "vitest";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import type { CloudNodeOptions, NodeInternals } from "../node-options.ts";
import { DEVICE_WASM, SeededRandom } from "../test-device.suite.ts";
import { DeviceStreams, LIMIT_MS, type StreamingDevice } from "./device-streams.suite.ts";
import { ResidentDevice } from "./resident-device.suite.ts";
import { createKey, type SigningKey } from "./signing-key.ts";
import { TrustFile } from "./trust-file.ts";
import { UpdatableDevice } from "./updatable-device.suite.ts";
import { encodePackage, makePackage, type PackageParts } from "./update-package.ts";
import { isOver, type RolloutRecord, type UpdateStep } from "./update-record.ts";

const TEST = { channels: 2, samples: 64, seed: 7 };

/** Other codecs, as other builds would have them: a number at the end of their tables differs. */
export function otherModule(n: number): Uint8Array {
  return DEVICE_WASM.map((byte, at) => (at === DEVICE_WASM.length - 2 ? byte ^ n : byte));
}

/** A package for a module. @param version  as a number */
export function packageOf(
  key: SigningKey,
  module: Uint8Array,
  version: number,
  about: Partial<PackageParts["about"]> = {},
): Uint8Array {
  const parts: PackageParts["about"] = {
    form: "module",
    ...{ target: "module", abi: 1, slot: ANY_SLOT, version, memoryBytes: 12_288, stackBytes: 0 },
    test: about.test ?? { ...TEST, digest: selfTestDigest(module, TEST.channels, TEST.samples, TEST.seed) },
  };
  return encodePackage(makePackage({ about: { ...parts, ...about }, body: module, module, key }));
}

/** Ways to a node; each call is another connection. */
export const WAYS: Readonly<Record<string, (node: CloudNode, device: string) => Transport>> = {
  loopback: (node) => {
    const loopback = new Loopback();
    node.attach(loopback);
    return loopback.transport;
  },
  tcp: (node) => {
    const random = new SeededRandom(3);
    return tcpTransport({ url: `tcp://127.0.0.1:${node.tcpPort}`, clock: systemClock(), random });
  },
  mqtt: (node, device) => {
    const random = new SeededRandom(3);
    return mqttTransport({ url: node.mqttUrl ?? "", group: "lockstep", device, clock: systemClock(), random });
  },
};

/** A node that trusts a key, and devices with updaters that stream. */
export class FlashRig {
  readonly folder = mkdtempSync(join(tmpdir(), "lockstep-flash-"));
  readonly key: SigningKey;
  /** Of the key's file. */
  readonly keyText: string;
  readonly devices: UpdatableDevice[] = [];
  readonly #way: string;
  readonly #internals: NodeInternals;
  readonly #streams = new DeviceStreams();
  #node: CloudNode | undefined;
  #ports = { tcp: 0, mqtt: 0 };

  private constructor(way: string, internals: NodeInternals) {
    this.#way = way;
    this.#internals = internals;
    const { key, fileText } = createKey("ed25519");
    [this.key, this.keyText] = [key, fileText];
  }

  static async open(way = "loopback", internals: NodeInternals = {}): Promise<FlashRig> {
    const rig = new FlashRig(way, internals);
    OPEN.add(rig);
    await new TrustFile(rig.storeFile).add(rig.key.trusted);
    await rig.startNode();
    return rig;
  }

  get storeFile(): string {
    return join(this.folder, "store.db");
  }

  get node(): CloudNode {
    if (this.#node === undefined) throw new RangeError("the node is down");
    return this.#node;
  }

  async startNode(): Promise<void> {
    const options: CloudNodeOptions = {
      ...{ storeFile: this.storeFile, logger: SILENT_LOGGER, clock: systemClock() },
      broker: this.#way === "mqtt" ? { kind: "embedded", port: this.#ports.mqtt, host: "127.0.0.1" } : null,
      tcpPort: this.#way === "tcp" ? this.#ports.tcp : null,
      tcpHost: "127.0.0.1",
      acks: { everyFrames: 4, ageMs: 30 },
    };
    this.#node = await CloudNode.openWith(options, this.#internals);
    this.#ports = { tcp: this.#node.tcpPort ?? 0, mqtt: Number(new URL(this.#node.mqttUrl ?? "mqtt://x:0").port) };
  }

  async stopNode(): Promise<void> {
    await this.#node?.close();
    this.#node = undefined;
  }

  /** A device with a model of an updater, to go wrong as a test says; it is born, and streams from now on. */
  async device(id: string): Promise<UpdatableDevice> {
    const { algorithm, id: key } = this.key.trusted;
    const device = await UpdatableDevice.open({ ...this.#about(id), keys: [{ algorithm, id: key }] });
    this.devices.push(device);
    await this.#stream(device);
    return device;
  }

  /** A device with the update machine itself; it is born, and streams from now on. */
  async resident(id: string): Promise<ResidentDevice> {
    const device = await ResidentDevice.open({ ...this.#about(id), keys: [this.key.trusted] });
    await this.#stream(device);
    return device;
  }

  #about(id: string) {
    return {
      ...{ id, wasm: DEVICE_WASM, random: new SeededRandom(this.#streams.count + 1) },
      ringFile: join(this.folder, `${id}.ring`),
      connect: () => WAYS[this.#way]?.(this.node, id) ?? new Loopback().transport,
    };
  }

  async #stream(device: StreamingDevice): Promise<void> {
    this.#streams.add(device);
    await vi.waitFor(() => expect(this.node.device(device.id)?.online).toBe(true), LIMIT_MS);
  }

  /** Begin an update of devices. */
  async start(bytes: Uint8Array, to: readonly string[], more: { stages?: number[]; maxFailures?: number } = {}) {
    const { stages = [100], maxFailures = 0 } = more;
    const { rollout } = await this.node.updates.start({ bytes, to, stages, maxFailures, isSkipping: false });
    if (rollout === undefined) throw new RangeError("not begun");
    return rollout;
  }

  /** Wait until a device has taken so many samples more. */
  async streamed(device: string, samples: number): Promise<void> {
    await this.#streams.goOn(device, samples);
  }

  /** Wait until an update is over. */
  async over(id: string): Promise<RolloutRecord> {
    return await vi.waitFor(
      () => {
        const record = this.node.updates.get(id);
        if (record.state === "running") throw new RangeError(`${record.devices.map(({ step }) => step)}`);
        return record;
      },
      { timeout: LIMIT_MS, interval: 10 },
    );
  }

  /** Wait until the update of a device came to a step, or is over. */
  async step(device: string, ...steps: UpdateStep[]): Promise<UpdateStep> {
    return await vi.waitFor(
      () => {
        const step = this.node.updates.of(device)?.update.step ?? "queued";
        if (!steps.includes(step) && !isOver(step)) throw new RangeError(step);
        return step;
      },
      { timeout: LIMIT_MS, interval: 2 },
    );
  }

  /** End the streams, and compare all that is stored with what was measured. @returns largest error over eps */
  async verify(id: string): Promise<number> {
    return await this.#streams.verify(this.storeFile, id);
  }

  async close(): Promise<void> {
    await this.#streams.close();
    await this.stopNode();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const OPEN = new Set<FlashRig>();

/** End every rig of a test behind it. */
export async function closeRigs(): Promise<void> {
  for (const rig of OPEN) await rig.close();
  OPEN.clear();
}
