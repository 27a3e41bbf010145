/** Devices in a process of their own, with their rings in files. Started by `KillRig` with a `DeviceHostOrder`. */
import { readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import {
  compileDeviceModule,
  DeviceSession,
  mqttTransport,
  systemClock,
  systemRandom,
  type Transport,
  tcpTransport,
} from "@lockstep/edge-sdk";
import { seededRandom } from "@lockstep/sim";
import { AckJournal } from "./ack-journal.ts";
import {
  type DeviceHostOrder,
  type DeviceHostReply,
  type DeviceHostRequest,
  GROUP,
  type HostedDevice,
} from "./messages.ts";
import { CHANNELS, PERIOD_NS, timeOfSample, truthAt } from "./truth.ts";

const FRAME_SAMPLES = 10;
const SILENCE_MS = 1_000;
const TICK_MS = 10;
/** Samples per device and tick: a frame every 20 ms. */
const SAMPLES_PER_TICK = 5;
/** The sensor pauses while the ring is fuller, so that nothing is ever dropped, however long a restart takes. */
const PAUSE_AT_FILL = 0.4;
/** Samples between two boots' first ones. */
const SAMPLES_PER_BOOT = 1_000_000;
/** A kill comes up to so long after it was asked for. */
const KILL_WITHIN_MS = 60;

const order = JSON.parse(process.argv[2] ?? "") as DeviceHostOrder;
const random = seededRandom(order.seed).fork(`boot ${order.boot}`);
const clock = systemClock();
const journal = new AckJournal(join(order.folder, "journal"));
const module = compileDeviceModule(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));

/** One device with its place in its signal. */
class Host {
  readonly session: DeviceSession;
  readonly #device: HostedDevice;
  #next = order.boot * SAMPLES_PER_BOOT;
  #framed = 0;
  #progress = 0;

  constructor(device: HostedDevice, session: DeviceSession) {
    this.#device = device;
    this.session = session;
    this.#framed = this.#next;
    journal.booted(device.id, this.#next, session.stats().adoptedFrames);
  }

  /** Frames that the cloud confirmed in this boot, those of earlier ones included. */
  get progress(): number {
    return this.#progress;
  }

  get unacknowledged(): number {
    return this.session.stats().unconfirmedFrames;
  }

  /** Compare with the ring as it was before a step. */
  noteProgress(unconfirmedBefore: number): void {
    if (this.unacknowledged < unconfirmedBefore) this.#progress += unconfirmedBefore - this.unacknowledged;
  }

  tick(): void {
    if (this.session.stats().ringFill > PAUSE_AT_FILL) return;
    for (let i = 0; i < SAMPLES_PER_TICK; i += 1) {
      this.session.push(truthAt(order.seed, this.#device.index, this.#next), timeOfSample(this.#next));
      this.#next += 1;
    }
    this.noteFramed();
  }

  noteFramed(): void {
    const framed = this.#next - this.session.stats().pendingSamples;
    if (framed === this.#framed) return;
    this.#framed = framed;
    journal.framed(this.#device.id, framed);
  }
}

async function open(device: HostedDevice): Promise<Host> {
  let host: Host | undefined;
  let unconfirmed = 0;
  const session = await DeviceSession.open({
    device: device.id,
    channels: CHANNELS,
    frameSamples: FRAME_SAMPLES,
    periodNs: PERIOD_NS,
    silenceMs: SILENCE_MS,
    ringFile: join(order.folder, `${device.id}.ring`),
    transport: journal.watch(device.id, transportOf(device)),
    module,
    clock,
    random,
    onStep: (cause) => {
      if (host === undefined) return;
      if (cause === "receive") host.noteProgress(unconfirmed);
      unconfirmed = host.unacknowledged;
    },
  });
  host = new Host(device, session);
  unconfirmed = host.unacknowledged;
  return host;
}

function transportOf({ id, url }: HostedDevice): Transport {
  // Jitter may differ from run to run; what is sent, and when a kill is asked for, does not come from it.
  const options = { url, clock, random: systemRandom() };
  return url.startsWith("tcp:") ? tcpTransport(options) : mqttTransport({ ...options, group: GROUP, device: id });
}

function reply(message: DeviceHostReply): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  const hosts = await Promise.all(order.devices.map(open));
  const unacknowledged = () => hosts.reduce((sum, host) => sum + host.unacknowledged, 0);
  /** What the next tick may find to be so, and what is then done. */
  let goal: { isMet(): boolean; reach(): void } | undefined;
  const ticking = setInterval(() => {
    for (const host of hosts) host.tick();
    if (goal?.isMet()) {
      const { reach } = goal;
      goal = undefined;
      reach();
    }
  }, TICK_MS);

  const whenAllProgress = (then: () => void) => {
    const before = hosts.map(({ progress }) => progress);
    goal = { isMet: () => hosts.every(({ progress }, i) => progress > (before[i] ?? 0)), reach: then };
  };

  const kill = (pids: readonly number[]) => {
    if (unacknowledged() === 0) {
      setImmediate(kill, pids);
      return;
    }
    for (const pid of pids) process.kill(pid, "SIGKILL");
    const killedMs = clock.nowMs();
    reply({ kind: "killed", unacknowledged: unacknowledged() });
    whenAllProgress(() => reply({ kind: "recovered", afterMs: clock.nowMs() - killedMs }));
  };

  const drain = async (limitMs: number) => {
    clearInterval(ticking);
    for (const host of hosts) {
      host.session.flush();
      host.noteFramed();
    }
    const endMs = clock.nowMs() + limitMs;
    let drained: boolean[];
    do {
      drained = await Promise.all(hosts.map(({ session }) => session.drained(endMs - clock.nowMs())));
      // While the slowest one was waited for, another may have had its heartbeat to send.
    } while (unacknowledged() > 0 && clock.nowMs() < endMs);
    // Nothing more comes from here, so that a report says the same however long it takes until it is asked for.
    const stopped = hosts.map(({ session }) => session.destroy());
    reply({
      kind: "drained",
      isComplete: drained.every((isDrained) => isDrained),
      evictedSamples: hosts.reduce((sum, { session }) => sum + session.stats().evictedSamples, 0),
      unconfirmedFrames: unacknowledged(),
    });
    await Promise.all(stopped);
  };

  process.on("message", (request: DeviceHostRequest) => {
    if (request.kind === "kill") setTimeout(kill, KILL_WITHIN_MS * random.uniform(), request.pids);
    else void drain(request.limitMs);
  });
  process.on("disconnect", () => process.exit());
  const adoptedFrames = hosts.reduce((sum, { session }) => sum + session.stats().adoptedFrames, 0);
  whenAllProgress(() => reply({ kind: "ready", adoptedFrames }));
  // It is killed, and would leave the next one nothing of what it compiled.
  flushCompileCache();
}

await main();
