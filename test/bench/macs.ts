import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { CloudNode, type LinkKeys, type LoopbackEnd, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import {
  compileDeviceModule,
  DeviceSession,
  planChannel,
  type Transport,
  type TransportEvents,
} from "@lockstep/edge-sdk";
import { addMac, bootKeyMessage, encodeFrame } from "@lockstep/protocol";
import { seededRandom } from "@lockstep/sim";
import type { Bench } from "./bench.ts";
import { median } from "./statistics.ts";

const DEVICES = 1_000;
const FRAMES = 32;
const FRAME_SAMPLES = 8;
const CHANNELS = ["x", "y", "z", "rx", "ry", "rz"].map((name) => planChannel({ name, eps: 0.01, min: -8, max: 8 }));
const PERIOD_NS = 125_000_000;
const SILENCE_MS = 5_000;
/** Runs without and with, taken in turn. */
const PAIRS = { paced: 5, "flat out": 5 } as const;
const QUICK_PAIRS = { paced: 1, "flat out": 2 } as const;
/** Frames of each device that are counted: in a paced run at one a second. */
const COUNTED = { paced: 8, "flat out": FRAMES } as const;
const TICK_MS = 10;
const SEED = 7;
/** Of a second of a core, so much is asked. */
const MUST_PERCENT = 10;
const MODULE = compileDeviceModule(readFileSync(new URL("../../edge-sdk/build/device.wasm", import.meta.url)));

/** What one device says, with and without MACs. */
interface Recording {
  readonly id: string;
  readonly key: Uint8Array;
  readonly plain: readonly Uint8Array[];
  readonly sealed: readonly Uint8Array[];
}

type Pace = keyof typeof PAIRS;

/** CPU of a frame without MACs and with them, µs, and by how much the median pair differs, %. */
interface Spent {
  readonly plain: number;
  readonly sealed: number;
  readonly added: number;
}

/** CPU that a node spends on the frames of a thousand devices, with a MAC on every frame and without, in one run. */
export const benchMacs: Bench = async ({ isQuick }) => {
  const pairs = isQuick === true ? QUICK_PAIRS : PAIRS;
  process.stderr.write("macs: recording the devices\n");
  const recordings: Recording[] = [];
  for (let i = 0; i < DEVICES; i++) recordings.push(await record(i));
  for (const isSealed of [false, true]) await spend(recordings, isSealed, "flat out");
  const paced = await compare(recordings, "paced", pairs.paced);
  const flatOut = await compare(recordings, "flat out", pairs["flat out"]);
  const bytes = median(recordings.flatMap((one) => one.plain.slice(1).map(({ length }) => length)));
  const goal = (name: string, { added }: Spent) => ({
    what: `CPU added by MACs at 1,000 devices, ${name}`,
    measured: round(added),
    unit: "%",
    must: { below: MUST_PERCENT },
  });
  const row = (name: string, { plain, sealed, added }: Spent) => [name, round(plain), round(sealed), round(added)];
  return {
    title: "MACs on frames, in the node",
    columns: ["1,000 devices", "CPU a frame, µs", "every frame sealed, acks too", "added, %"],
    rows: [row("each at 1 frame/s", paced), row("as fast as frames are taken", flatOut)],
    goals: [goal("each at 1 frame/s", paced), goal("as fast as frames are taken", flatOut)],
    notes: [
      `${DEVICES} devices with frames of ${FRAME_SAMPLES} samples and ${CHANNELS.length} channels, ${bytes} B in the median, made before; what is counted is the node from bytes to commit and acknowledgement, with all its threads, by \`process.cpuUsage\`. A MAC adds 8 B to a frame.`,
      `${pairs.paced} pairs of runs of ${COUNTED.paced} s at 1 frame/s, ${pairs["flat out"]} of ${COUNTED["flat out"]} frames a device as fast as they are taken, without and with in turn, each with a new store; what is added is the median of the pairs' ratios. No transport is in it: with one the share is smaller. As fast as frames are taken, commits are large and cheap, and the share of everything else is at its largest. At 1 frame/s pairs differ by more than MACs add wherever the machine has something else to do.`,
    ],
  };
};

async function compare(recordings: readonly Recording[], pace: Pace, pairs: number): Promise<Spent> {
  const plain: number[] = [];
  const sealed: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    process.stderr.write(`macs: ${pace}, ${pair + 1} of ${pairs}\n`);
    plain.push(await spend(recordings, false, pace));
    sealed.push(await spend(recordings, true, pace));
  }
  const added = median(sealed.map((one, i) => 100 * (one / (plain[i] ?? Number.NaN) - 1)));
  return { plain: median(plain), sealed: median(sealed), added };
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

/** Have a device say its frames to nobody. */
async function record(index: number): Promise<Recording> {
  const id = `unit-${index}`;
  const random = seededRandom(SEED).fork(id);
  const nonce = random.uint32();
  const plain: Uint8Array[] = [];
  const session = await DeviceSession.open({
    device: id,
    channels: CHANNELS,
    frameSamples: FRAME_SAMPLES,
    periodNs: PERIOD_NS,
    silenceMs: SILENCE_MS,
    module: MODULE,
    clock: systemClock(),
    random: { uint32: () => nonce },
    transport: welcoming(plain, nonce),
  });
  for (let n = 0; plain.length <= FRAMES; n++) {
    session.push(
      CHANNELS.map((_, c) => 3 * Math.sin(n / (9 + 4 * c)) + random.uint32() / 2 ** 32),
      (n * PERIOD_NS) / 1000,
    );
    if (n % FRAME_SAMPLES === 0) await setImmediate();
  }
  await session.destroy();
  const key = createHmac("sha256", "bench").update(id).digest();
  const bootKey = createHmac("sha256", key)
    .update(bootKeyMessage("up", nonce, id))
    .digest();
  const macOf = (covered: Uint8Array) => createHmac("sha256", bootKey).update(covered).digest();
  const frames = plain.slice(0, FRAMES + 1);
  return { id, key, plain: frames, sealed: frames.map((bytes) => addMac(bytes, macOf)) };
}

/** A transport whose far end does nothing but welcome. */
function welcoming(heard: Uint8Array[], nonce: number): Transport {
  let events: TransportEvents | undefined;
  return {
    async open(given) {
      events = given;
      queueMicrotask(() => given.connected());
    },
    send(topic, bytes) {
      if (topic === "presence") return true;
      heard.push(bytes.slice());
      if (topic !== "birth") return true;
      const welcome = encodeFrame({
        ...{ kind: "welcome", nonce, epoch: 1, through: 0, alias: "", ackAgeMs: 3_600_000, timeUs: 0 },
      });
      queueMicrotask(() => events?.message(welcome));
      return true;
    },
    useAlias() {},
    async close() {},
    async destroy() {},
  };
}

/** Let a node take everything in. @returns CPU of each frame, µs */
async function spend(recordings: readonly Recording[], isSealed: boolean, pace: Pace): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-macs-"));
  const keys = new Map(recordings.map(({ id, key }) => [id, key]));
  const linkKeys: LinkKeys = {
    isOpen: false,
    grantOf: (id) => id,
    mayUseJobs: () => false,
    macKeyOf: (id) => keys.get(id),
    devices: () => keys.keys(),
  };
  const node = await CloudNode.openWith(
    { storeFile: join(folder, "store.db"), broker: null, logger: SILENT_LOGGER, clock: systemClock() },
    isSealed ? { linkKeys } : {},
  );
  try {
    let [welcomed, committed] = [0, 0];
    node.onEvent((event) => {
      if (event.kind === "born") welcomed += 1;
    });
    node.onCommit((_, frames) => {
      committed += frames;
    });
    const lines = recordings.map((recording) => {
      const say = connected(node);
      const said = isSealed ? recording.sealed : recording.plain;
      return (frame: number) => say(said[frame] ?? new Uint8Array());
    });
    for (const say of lines) say(0);
    while (welcomed < DEVICES) await setImmediate();
    // The first frame of each: from here on its keys are known.
    for (const say of lines) say(1);
    const taken = async (frames: number) => {
      while (committed < frames) await sleep(1);
    };
    await taken(DEVICES);
    const last = 1 + Math.min(COUNTED[pace], FRAMES - 1);
    const before = process.cpuUsage();
    if (pace === "paced") await sayPaced(lines, last);
    else {
      for (let frame = 2; frame <= last; frame++) {
        for (const say of lines) say(frame);
        await taken(frame * DEVICES);
      }
    }
    await taken(last * DEVICES);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / (DEVICES * (last - 1));
  } finally {
    await node.close();
    rmSync(folder, { recursive: true });
  }
}

/** Frames 2 to `last` of every device, one a second each, evenly spread. */
async function sayPaced(lines: readonly ((frame: number) => void)[], last: number): Promise<void> {
  const start = performance.now();
  const total = (last - 1) * DEVICES;
  for (let said = 0; said < total; await sleep(TICK_MS)) {
    const due = Math.min(total, Math.floor(((performance.now() - start) * DEVICES) / 1000));
    for (; said < due; said++) lines[said % DEVICES]?.(2 + Math.floor(said / DEVICES));
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function connected(node: CloudNode): (bytes: Uint8Array) => void {
  let say: (bytes: Uint8Array) => void = () => {};
  const end: LoopbackEnd = {
    listen(handlers) {
      handlers.connected();
      say = handlers.message;
    },
    send() {},
    drop() {},
  };
  node.attach(end);
  return (bytes) => say(bytes);
}
