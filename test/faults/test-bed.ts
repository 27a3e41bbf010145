import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudNode, type CloudNodeOptions, type NodeEvent, SILENT_LOGGER } from "@lockstep/cloud-node";
import {
  compileDeviceModule,
  DeviceSession,
  type DeviceSessionOptions,
  Loopback,
  type Transport,
} from "@lockstep/edge-sdk";
import type { SeededRandom } from "@lockstep/sim";
import { AckJournal, type DeviceAccount, readJournal } from "./ack-journal.ts";
import { FastClock } from "./fast-clock.ts";
import { GROUP } from "./messages.ts";
import { auditStore, type StoreAudit } from "./store-audit.ts";
import { CHANNELS, PERIOD_NS, timeOfSample, truthAt } from "./truth.ts";

/** Half a minute of the protocol's time-outs in about a second and a half. */
export const SPEED = 20;
/** Protocol time; reached only when something is broken. */
export const LIMIT_MS = SPEED * 60_000;
export const FRAME_SAMPLES = 50;
const SILENCE_MS = 2_000;
const ACKS = { everyFrames: 8, ageMs: 500 };

export const module = compileDeviceModule(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));

/** A node and devices in this process, on a fast clock, with a journal of what was promised. */
export class TestBed {
  readonly clock = new FastClock(SPEED);
  readonly folder: string;
  readonly random: SeededRandom;
  readonly seed: number;
  readonly journal: AckJournal;
  readonly events: NodeEvent[] = [];
  storeFile: string;
  #node: CloudNode | undefined;
  #devices: TestDevice[] = [];

  /** @param folder  where its files are; removed by `close` */
  constructor(seed: number, random: SeededRandom, folder = mkdtempSync(join(tmpdir(), "lockstep-faults-"))) {
    this.seed = seed;
    this.random = random;
    this.folder = folder;
    this.storeFile = join(folder, "store.db");
    this.journal = new AckJournal(join(this.folder, "journal"));
  }

  get node(): CloudNode {
    if (this.#node === undefined) throw new RangeError("the node was not started");
    return this.#node;
  }

  /** @param open  how; the ordinary way unless given */
  async startNode(
    changes: Partial<CloudNodeOptions> = {},
    open: (options: CloudNodeOptions) => Promise<CloudNode> = CloudNode.open,
  ): Promise<CloudNode> {
    this.#node = await open({
      storeFile: this.storeFile,
      broker: null,
      group: GROUP,
      acks: ACKS,
      logger: SILENT_LOGGER,
      clock: this.clock,
      ...changes,
    });
    this.#node.onEvent((event) => this.events.push(event));
    return this.#node;
  }

  /** A transport of this process to the running node. */
  loopback(): Loopback {
    const loopback = new Loopback();
    this.node.attach(loopback);
    return loopback;
  }

  /** Switch a device on. @param index  picks its signal; `firstSample`: where in it this boot begins */
  async device(
    id: string,
    transport: Transport,
    { index = 0, firstSample = 0, ...changes }: Partial<DeviceSessionOptions> & TestDevicePlace = {},
  ): Promise<TestDevice> {
    const session = await DeviceSession.open({
      device: id,
      channels: CHANNELS,
      frameSamples: FRAME_SAMPLES,
      periodNs: PERIOD_NS,
      silenceMs: SILENCE_MS,
      transport: this.journal.watch(id, transport),
      module,
      clock: this.clock,
      random: this.random.fork(`${id} ${this.#devices.length}`),
      ...changes,
    });
    const device = new TestDevice(session, this, { id, index, firstSample });
    this.#devices.push(device);
    return device;
  }

  /** Wait for something to be so, in protocol time. @throws {RangeError} naming it when it never is */
  async until(what: string, isMet: () => boolean, limitMs = LIMIT_MS): Promise<void> {
    const endMs = this.clock.nowMs() + limitMs;
    while (!isMet()) {
      if (this.clock.nowMs() > endMs) throw new RangeError(`never so: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** End the node, and look at what it stored of a device. */
  async audit(id: string, index = 0): Promise<StoreAudit> {
    await this.#node?.close();
    const nothing: DeviceAccount = { confirmed: new Map(), framed: [], adopted: [] };
    const account = readJournal(join(this.folder, "journal")).get(id) ?? nothing;
    return auditStore(this.storeFile, this.seed, { id, index, url: "" }, account);
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.session.destroy();
    await this.#node?.close();
    this.journal.close();
    rmSync(this.folder, { recursive: true });
  }
}

export interface TestDevicePlace {
  readonly index?: number;
  readonly firstSample?: number;
}

/** A device whose signal and whose time are known. */
export class TestDevice {
  readonly id: string;
  readonly session: DeviceSession;
  readonly #bed: TestBed;
  readonly #index: number;
  #next: number;
  /** Added to the time of samples, µs: what a clock that was set shows. */
  clockErrorUs = 0;

  constructor(session: DeviceSession, bed: TestBed, place: Required<TestDevicePlace> & { readonly id: string }) {
    this.id = place.id;
    this.session = session;
    this.#bed = bed;
    this.#index = place.index;
    this.#next = place.firstSample;
    bed.journal.booted(place.id, this.#next, session.stats().adoptedFrames);
  }

  /** Number of the sample to be taken next. */
  get next(): number {
    return this.#next;
  }

  /** Take samples as fast as they come. */
  take(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const timeUs = timeOfSample(this.#next) + this.clockErrorUs;
      this.session.push(truthAt(this.#bed.seed, this.#index, this.#next), timeUs);
      this.#next += 1;
    }
    this.#bed.journal.framed(this.id, this.#next - this.session.stats().pendingSamples);
  }

  /** Close the frame in hand and wait until everything is confirmed. */
  async drain(): Promise<boolean> {
    this.session.flush();
    this.#bed.journal.framed(this.id, this.#next - this.session.stats().pendingSamples);
    return this.session.drained(LIMIT_MS);
  }
}
