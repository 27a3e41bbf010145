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
const PAIRS = 7;
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

/** CPU that a node spends on the frames of a thousand devices, with a MAC on every frame and without, in one run. */
export const benchMacs: Bench = async () => {
  process.stderr.write("macs: recording the devices\n");
  const recordings: Recording[] = [];
  for (let i = 0; i < DEVICES; i++) recordings.push(await record(i));
  const plain: number[] = [];
  const sealed: number[] = [];
  await spend(recordings, false);
  await spend(recordings, true);
  for (let pair = 0; pair < PAIRS; pair++) {
    process.stderr.write(`macs: ${pair + 1} of ${PAIRS}\n`);
    plain.push(await spend(recordings, false));
    sealed.push(await spend(recordings, true));
  }
  const [without, withMacs] = [median(plain), median(sealed)];
  const added = median(sealed.map((one, i) => 100 * (one / (plain[i] ?? Number.NaN) - 1)));
  const bytes = median(recordings.flatMap((one) => one.plain.slice(1).map(({ length }) => length)));
  return {
    title: "MACs on frames, in the node",
    columns: ["frames of 1,000 devices", "CPU a frame, µs", "a device at 1 frame/s, ‰ of a core"],
    rows: [
      ["without MACs", round(without), round(without / 1000, 3)],
      ["every frame sealed, acks too", round(withMacs), round(withMacs / 1000, 3)],
    ],
    goals: [
      {
        what: "CPU added by MACs at 1,000 devices",
        measured: round(added),
        unit: "%",
        must: { below: MUST_PERCENT },
      },
    ],
    notes: [
      `${DEVICES} devices with ${FRAMES} frames each of ${FRAME_SAMPLES} samples and ${CHANNELS.length} channels, ${bytes} B in the median, made before; what is counted is the node from bytes to commit and acknowledgement, with all its threads, by \`process.cpuUsage\`. A MAC adds 8 B to a frame.`,
      `${PAIRS} runs with and ${PAIRS} without, taken in turn, each with a new store; the goal is the median of the ratios of neighbours. No transport is in it, so that the share is at its largest: a broker in the same process would cost several times as much as what is counted here.`,
    ],
  };
};

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
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
async function spend(recordings: readonly Recording[], isSealed: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-macs-"));
  const keys = new Map(recordings.map(({ id, key }) => [id, key]));
  const linkKeys: LinkKeys = {
    isOpen: false,
    grantOf: (id) => id,
    macKeyOf: (id) => keys.get(id),
    devices: () => keys.keys(),
  };
  const node = await CloudNode.open({
    storeFile: join(folder, "store.db"),
    broker: null,
    logger: SILENT_LOGGER,
    clock: systemClock(),
    ...(isSealed ? { linkKeys } : {}),
  });
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
    const before = process.cpuUsage();
    for (let frame = 1; frame <= FRAMES; frame++) {
      for (const say of lines) say(frame);
      while (committed < frame * DEVICES) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / (DEVICES * FRAMES);
  } finally {
    await node.close();
    rmSync(folder, { recursive: true });
  }
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
