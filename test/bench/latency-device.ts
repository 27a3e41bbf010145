/** Entry of a process of its own: a device that sends the rotor sample by sample and times what comes back. */
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { type DeviceSession, mqttTransport, systemClock, systemRandom, tcpTransport } from "@lockstep/edge-sdk";
import { connectAsync } from "mqtt";
import { openRotor, RATE_HZ, rotor } from "./rotor-session.ts";

/** What the parent asks for, as JSON in the first argument. */
export interface LatencyTask {
  readonly device: string;
  /** `mqtt://…` or `tcp://…` */
  readonly url: string;
  /** Where a plain message comes straight back: the broker, or a TCP server that echoes; none for a device alone. */
  readonly echoUrl: string | undefined;
  readonly frameSamples: number;
  readonly eps: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** What it answers; times in ms on the computer's monotonic clock, which all processes share. */
export interface LatencyAnswer {
  /** Samples pushed before each frame left, and when its last sample was pushed. */
  readonly sent: readonly { readonly samples: number; readonly atMs: number }[];
  /** From a frame's last sample to the acknowledgement that covers it. */
  readonly committedMs: readonly number[];
  /** Round trips of a plain message of a frame's size. */
  readonly echoMs: readonly number[];
  /** User and system time of this process while it sent, ms. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

type Echo = () => Promise<number>;

/** A residual frame of six channels at a fine bound is about this long. */
const ECHO_BYTES = 24;
const LIVE_POLL_MS = 10;
const DRAIN_LIMIT_MS = 10_000;

await main(JSON.parse(process.argv[2] ?? "{}") as LatencyTask);

async function main(task: LatencyTask): Promise<void> {
  const clock = systemClock();
  const { device, url } = task;
  const transport = url.startsWith("tcp:")
    ? tcpTransport({ url, clock, random: systemRandom() })
    : mqttTransport({ url, group: "lockstep", device, clock, random: systemRandom() });
  const open = new Map<number, number>();
  const committedMs: number[] = [];
  const { frameSamples, eps } = task;
  const session: DeviceSession = await openRotor({
    device,
    frameSamples,
    transport,
    clock,
    seed: 1,
    eps,
    onStep(cause) {
      if (cause !== "receive") return;
      const atMs = nowMs();
      const { oldestSeq } = session.stats();
      for (const [seq, sentMs] of open) {
        if (seq >= oldestSeq) continue;
        committedMs.push(atMs - sentMs);
        open.delete(seq);
      }
    },
  });
  while (session.stats().phase !== "live") await new Promise((resolve) => setTimeout(resolve, LIVE_POLL_MS));
  const echo = task.echoUrl === undefined ? undefined : await openEcho(task.echoUrl);
  const sent: { samples: number; atMs: number }[] = [];
  const echoMs: number[] = [];
  const reader = rotor(1).read();
  const row = new Float64Array(6);
  const warm = task.warmUpSeconds * RATE_HZ;
  let cpu = process.cpuUsage();
  const startMs = nowMs();
  let countedMs = startMs;
  for (let i = 0; i < warm + task.seconds * RATE_HZ; i += 1) {
    await until(startMs + (i * 1000) / RATE_HZ);
    if (i === warm) [cpu, countedMs] = [process.cpuUsage(), nowMs()];
    reader.next(row);
    const { nextSeq } = session.stats();
    const atMs = nowMs();
    if (i >= warm) open.set(nextSeq, atMs);
    session.push(row);
    if (session.stats().nextSeq === nextSeq) open.delete(nextSeq);
    else if (i >= warm) sent.push({ samples: i + 1, atMs });
    if (echo === undefined) continue;
    await until(startMs + ((i + 0.5) * 1000) / RATE_HZ);
    const tripMs = await echo();
    if (i >= warm) echoMs.push(tripMs);
  }
  const used = process.cpuUsage(cpu);
  const wallMs = nowMs() - countedMs;
  session.flush();
  await session.drained(DRAIN_LIMIT_MS);
  await session.destroy();
  const answer: LatencyAnswer = { sent, committedMs, echoMs, cpuMs: (used.user + used.system) / 1000, wallMs };
  process.send?.(answer, () => process.exit(0));
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function until(atMs: number): Promise<void> {
  const waitMs = atMs - nowMs();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}

async function openEcho(url: string): Promise<Echo> {
  const { protocol, hostname, port } = new URL(url);
  const message = Buffer.alloc(ECHO_BYTES, 1);
  if (protocol === "tcp:") {
    const socket = connectSocket({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    return () => timed(once(socket, "data"), () => socket.write(message));
  }
  const client = await connectAsync(url, {
    protocolVersion: 4,
    timerVariant: "native",
    clientId: `echo-${process.pid}`,
  });
  if ("setNoDelay" in client.stream && typeof client.stream.setNoDelay === "function") client.stream.setNoDelay(true);
  const topic = `e/${process.pid}`;
  await client.subscribeAsync(topic, { qos: 0 });
  return () =>
    timed(new Promise((resolve) => client.once("message", resolve)), () => client.publish(topic, message, { qos: 0 }));
}

async function timed(answer: Promise<unknown>, ask: () => unknown): Promise<number> {
  const startMs = nowMs();
  ask();
  await answer;
  return nowMs() - startMs;
}
