import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudNode,
  type CloudNodeOptions,
  type LinkKeys,
  type LoopbackEnd,
  type NodeEvent,
  openHistory,
  SILENT_LOGGER,
} from "@lockstep/cloud-node";
import {
  compileDeviceModule,
  compileMacModule,
  DeviceSession,
  type DeviceSessionOptions,
  type MacKey,
} from "@lockstep/edge-sdk";
import { addMac, bootKeyMessage, type LinkDirection } from "@lockstep/protocol";
import { seededRandom } from "@lockstep/sim";
import { FastClock } from "../faults/fast-clock.ts";
import { SEED } from "../faults/seed.ts";
import { CHANNELS, EPS, PERIOD_NS, timeOfSample, truthAt } from "../faults/truth.ts";
import { AttackedLink } from "./attacked-link.ts";

/** Half a minute of the protocol's time-outs in about a second and a half. */
const SPEED = 20;
/** Protocol time; reached only when an attack succeeds. */
const LIMIT_MS = SPEED * 20_000;
export const FRAME_SAMPLES = 20;
/** Longer than any test: what a device says is what a test has it say. */
const SILENCE_MS = 3_600_000;
const ACKS = { everyFrames: 4, ageMs: 200 };
const built = (name: string) => readFileSync(new URL(`../../edge-sdk/build/${name}`, import.meta.url));
const MODULE = compileDeviceModule(built("device.wasm"));
const MAC_MODULE = compileMacModule(built("mac.wasm"));

/** The keys of a node's devices, in memory. */
export class TestKeys implements LinkKeys {
  readonly #keys = new Map<string, Uint8Array>();

  get isOpen(): boolean {
    return this.#keys.size === 0;
  }

  grantOf(device: string): string | undefined {
    return this.#keys.has(device) ? device : undefined;
  }

  mayUseJobs(): boolean {
    return false;
  }

  macKeyOf(device: string): Uint8Array | undefined {
    return this.#keys.get(device);
  }

  devices(): Iterable<string> {
    return this.#keys.keys();
  }

  /** A device's key, made if there is none: the same for the same name. */
  add(device: string): Uint8Array {
    const key = createHmac("sha256", "attack suite").update(device).digest();
    this.#keys.set(device, key);
    return key;
  }
}

/** A device under attack: what it measured, and the line that it speaks on. */
export interface Victim {
  readonly session: DeviceSession;
  readonly link: AttackedLink;
  readonly nonce: number;
  /** Take so many samples. */
  take(count: number): void;
  /** Close the frame in hand, and wait until all is confirmed. */
  drain(): Promise<boolean>;
}

/** How a device is attacked. */
export interface VictimPlan {
  /** It has a key and uses it; it does unless told otherwise. */
  readonly isKeyed?: boolean;
  readonly link?: AttackedLink;
}

/** A node, its devices, and whoever sits between. */
export class AttackRig {
  readonly clock = new FastClock(SPEED);
  readonly keys = new TestKeys();
  readonly events: NodeEvent[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "lockstep-attacks-"));
  readonly #random = seededRandom(SEED);
  readonly #sessions: DeviceSession[] = [];
  /** Samples that each device took. */
  readonly #taken = new Map<string, number>();
  #node: CloudNode | undefined;

  get node(): CloudNode {
    if (this.#node === undefined) throw new RangeError("the node was not started");
    return this.#node;
  }

  get storeFile(): string {
    return join(this.#folder, "store.db");
  }

  async startNode(changes: Partial<CloudNodeOptions> = {}): Promise<CloudNode> {
    const options = { storeFile: this.storeFile, broker: null, acks: ACKS, logger: SILENT_LOGGER, clock: this.clock };
    this.#node = await CloudNode.openWith({ ...options, ...changes }, { linkKeys: this.keys });
    this.#node.onEvent((event) => this.events.push(event));
    return this.#node;
  }

  async stopNode(): Promise<void> {
    await this.#node?.close();
  }

  /** The key of a device as its session takes it. */
  macKey(device: string): MacKey {
    return { module: MAC_MODULE, bytes: this.keys.add(device) };
  }

  /** Switch a device on, at the end of a line that somebody else holds. */
  async victim(
    device: string,
    { isKeyed = true, link = new AttackedLink(), ...changes }: Partial<DeviceSessionOptions> & VictimPlan = {},
  ): Promise<Victim> {
    this.node.attach(link.far);
    const nonce = this.#random.uint32();
    const session = await DeviceSession.open({
      device,
      channels: CHANNELS,
      frameSamples: FRAME_SAMPLES,
      periodNs: PERIOD_NS,
      silenceMs: SILENCE_MS,
      transport: link.transport,
      module: MODULE,
      clock: this.clock,
      random: { uint32: () => nonce },
      ...(isKeyed ? { macKey: this.macKey(device) } : {}),
      ...changes,
    });
    this.#sessions.push(session);
    return {
      session,
      link,
      nonce,
      take: (count) => {
        const from = this.#taken.get(device) ?? 0;
        for (let n = from; n < from + count; n++) session.push(truthAt(SEED, 0, n), timeOfSample(n));
        this.#taken.set(device, from + count);
      },
      drain: () => {
        session.flush();
        return session.drained(LIMIT_MS);
      },
    };
  }

  /** A connection of the attacker's own to the node. @returns says something on it */
  stranger(heard: (bytes: Uint8Array) => void = () => {}): (bytes: Uint8Array) => void {
    let say: ((bytes: Uint8Array) => void) | undefined;
    const end: LoopbackEnd = {
      listen(handlers) {
        handlers.connected();
        say = handlers.message;
      },
      send: heard,
      drop() {
        say = undefined;
      },
    };
    this.node.attach(end);
    return (bytes) => say?.(bytes);
  }

  /** Frames refused so far, by code. */
  refused(): Readonly<Record<string, number>> {
    const found = Object.entries(this.node.counters()).filter(([name]) => name.startsWith("refused."));
    return Object.fromEntries(found.map(([name, count]) => [name.slice("refused.".length), count]));
  }

  /** What a twin holds: all that an attack must not change. */
  twin(device: string) {
    const view = this.node.device(device);
    if (view === undefined) return undefined;
    const { epoch, confirmed, receivedSamples, stateHash, lost, conflicts, birthHash } = view;
    return { epoch, confirmed, receivedSamples, stateHash, lost, conflicts, birthHash };
  }

  async until(what: string, isMet: () => boolean): Promise<void> {
    const endMs = this.clock.nowMs() + LIMIT_MS;
    while (!isMet()) {
      if (this.clock.nowMs() > endMs) throw new RangeError(`never so: ${what}`);
      await rested();
    }
  }

  /** End the node, and compare what it stored of a device with what that measured, sample by sample. @returns samples stored */
  async audit(device: string): Promise<number> {
    await this.stopNode();
    const history = await openHistory(this.storeFile);
    let stored = 0;
    try {
      for (const { values } of history.samples(device)) {
        for (const [c, x] of truthAt(SEED, 0, stored).entries()) {
          const error = Math.abs((values[c] ?? Number.NaN) - x);
          if (!(error <= EPS)) throw new RangeError(`sample ${stored}, channel ${c}: off by ${error}`);
        }
        stored += 1;
      }
    } finally {
      history.close();
    }
    return stored;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session.destroy();
    await this.#node?.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Let everything that is under way in this process arrive. */
export function rested(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

/** A frame sealed as the holder of a key would. */
export function sealedBy(
  key: Uint8Array,
  frame: Uint8Array,
  { direction, nonce, device }: { readonly direction: LinkDirection; readonly nonce: number; readonly device: string },
): Uint8Array {
  const bootKey = createHmac("sha256", key)
    .update(bootKeyMessage(direction, nonce, device))
    .digest();
  return addMac(frame, (covered) => createHmac("sha256", bootKey).update(covered).digest());
}
