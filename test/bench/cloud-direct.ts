/** Entry of a process of its own: how much processor time a frame takes without a broker. Started with a `DirectOrder`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudNode, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { FrameTemplate } from "./cloud-template.ts";

/** What is asked. */
export interface DirectOrder {
  readonly devices: number;
  /** Of each device, beside those that warm up. */
  readonly frames: number;
  readonly threads: number | undefined;
}

/** What it took. */
export interface DirectAnswer {
  readonly frames: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Of the node's own thread. */
  readonly mainMs: number;
  readonly rssMB: number;
}

interface FedDevice {
  readonly name: string;
  feed(bytes: Uint8Array): void;
  confirmed: number;
}

const TEMPLATES = 4;
const WARM_UP_FRAMES = 20;
/** Frames of a device that may be unconfirmed. */
const WINDOW = 16;

async function main({ devices: count, frames, threads }: DirectOrder): Promise<DirectAnswer> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-direct-"));
  const all = WARM_UP_FRAMES + frames;
  const templates: FrameTemplate[] = [];
  for (let seed = 1; seed <= TEMPLATES; seed += 1) templates.push(await FrameTemplate.make(seed, all));
  const node = await CloudNode.open({
    storeFile: join(folder, "node.db"),
    broker: null,
    threads,
    logger: SILENT_LOGGER,
    clock: systemClock(),
  });
  const devices = Array.from({ length: count }, (_, i) => attach(node, `d-${i + 1}`));
  const byName = new Map(devices.map((device) => [device.name, device]));
  let confirmed = 0;
  node.onEvent((event) => {
    const device = event.kind === "confirmed" ? byName.get(event.device) : undefined;
    if (device === undefined || event.kind !== "confirmed") return;
    confirmed += event.seq - device.confirmed;
    device.confirmed = event.seq;
  });
  const made = devices.map(({ name }, i) => {
    const template = templates[i % TEMPLATES];
    if (template === undefined) throw new RangeError("no template");
    const sealed = Array.from({ length: all }, (_, seq) => template.frameOf(name, seq));
    return { birth: template.birthOf(name, i + 1), sealed };
  });
  for (const [i, device] of devices.entries()) device.feed(made[i]?.birth ?? new Uint8Array(0));
  const feedTo = async (end: number) => {
    const next = devices.map(({ confirmed }) => confirmed);
    while (confirmed < count * end) {
      const before = confirmed;
      for (const [i, device] of devices.entries()) {
        const limit = Math.min(end, device.confirmed + WINDOW);
        for (let seq = next[i] ?? 0; seq < limit; seq += 1) device.feed(made[i]?.sealed[seq] ?? new Uint8Array(0));
        next[i] = Math.max(next[i] ?? 0, limit);
      }
      while (confirmed === before) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await new Promise((resolve) => setTimeout(resolve, 200));
  await feedTo(WARM_UP_FRAMES);
  const [cpu, own, startMs] = [process.cpuUsage(), process.threadCpuUsage(), performance.now()];
  await feedTo(all);
  const [used, usedOwn, wallMs] = [process.cpuUsage(cpu), process.threadCpuUsage(own), performance.now() - startMs];
  const rssMB = process.memoryUsage.rss() / 2 ** 20;
  await node.close();
  rmSync(folder, { recursive: true });
  const inMs = ({ user, system }: { user: number; system: number }) => (user + system) / 1000;
  return { frames: count * frames, cpuMs: inMs(used), mainMs: inMs(usedOwn), wallMs, rssMB };
}

/** A device whose frames are handed to the node as they are. */
function attach(node: CloudNode, name: string): FedDevice {
  let feed = (_bytes: Uint8Array) => {};
  node.attach({
    listen(handlers) {
      handlers.connected();
      feed = (bytes) => handlers.message(bytes);
    },
    send() {},
    drop() {},
  });
  return { name, feed: (bytes) => feed(bytes), confirmed: 0 };
}

const answer = await main(JSON.parse(process.argv[2] ?? "{}") as DirectOrder);
if (process.send === undefined) process.stdout.write(`${JSON.stringify(answer)}\n`);
else process.send(answer, () => process.exit(0));
