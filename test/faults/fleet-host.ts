/** Many devices in a process of their own, one frame a second each, rings in memory. Started with a `FleetHostOrder`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileDeviceModule, DeviceSession, mqttTransport, systemClock, systemRandom } from "@lockstep/edge-sdk";
import { seededRandom } from "@lockstep/sim";
import { AckJournal } from "./ack-journal.ts";
import { type FleetHostOrder, type FleetHostReply, type FleetHostRequest, GROUP } from "./messages.ts";
import { CHANNELS, PERIOD_NS, timeOfSample, truthAt } from "./truth.ts";

const FRAME_SAMPLES = 8;
const FRAME_MS = 1_000;
const SILENCE_MS = 10_000;
/** Frames of the fleet are spread over their second, so many at a time. */
const TICKS = 50;

const order = JSON.parse(process.argv[2] ?? "") as FleetHostOrder;
const clock = systemClock();
const random = seededRandom(order.seed).fork("fleet");
const journal = new AckJournal(join(order.folder, "journal"));
const module = compileDeviceModule(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));

/** One device, and when it last had a frame confirmed. */
class Member {
  readonly session: DeviceSession;
  confirmedMs = 0;
  readonly #index: number;
  #acknowledged = 0;
  #next = 0;

  constructor(session: DeviceSession, index: number) {
    this.session = session;
    this.#index = index;
    journal.booted(nameOf(index), 0, 0);
  }

  take(): void {
    for (let i = 0; i < FRAME_SAMPLES; i += 1) {
      this.session.push(truthAt(order.seed, this.#index, this.#next), timeOfSample(this.#next));
      this.#next += 1;
    }
    journal.framed(nameOf(this.#index), this.#next - this.session.stats().pendingSamples);
  }

  noteConfirmed(): void {
    const { acknowledgedFrames } = this.session.stats();
    if (acknowledgedFrames > this.#acknowledged) this.confirmedMs = clock.nowMs();
    this.#acknowledged = acknowledgedFrames;
  }
}

async function open(index: number): Promise<Member> {
  let member: Member | undefined;
  const device = nameOf(index);
  const transport = mqttTransport({ url: order.url, group: GROUP, device, clock, random: systemRandom() });
  const session = await DeviceSession.open({
    device,
    channels: CHANNELS,
    frameSamples: FRAME_SAMPLES,
    periodNs: PERIOD_NS,
    silenceMs: SILENCE_MS,
    transport: journal.watch(device, transport),
    module,
    clock,
    random,
    onStep: (cause) => {
      if (cause === "receive") member?.noteConfirmed();
    },
  });
  member = new Member(session, index);
  return member;
}

function nameOf(index: number): string {
  return `device-${index}`;
}

function reply(message: FleetHostReply): void {
  process.send?.(message);
}

/** Until every device had a frame confirmed since a moment. @returns how long after it each had, ms, in ascending order */
async function confirmedSince(members: readonly Member[], sinceMs: number): Promise<number[]> {
  while (!members.every(({ confirmedMs }) => confirmedMs > sinceMs)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return members.map(({ confirmedMs }) => confirmedMs - sinceMs).sort((a, b) => a - b);
}

async function main(): Promise<void> {
  const members = await Promise.all(Array.from({ length: order.devices }, (_, index) => open(index)));
  let tick = 0;
  const ticking = setInterval(() => {
    for (let i = tick % TICKS; i < members.length; i += TICKS) members[i]?.take();
    tick += 1;
  }, FRAME_MS / TICKS);
  await confirmedSince(members, 0);
  reply({ kind: "ready" });

  process.on("message", async (request: FleetHostRequest) => {
    if (request.kind === "kill") {
      for (const pid of request.pids) process.kill(pid, "SIGKILL");
      const killedMs = clock.nowMs();
      const unacknowledged = members.reduce((sum, { session }) => sum + session.stats().unconfirmedFrames, 0);
      reply({ kind: "killed" });
      reply({ kind: "recovered", unacknowledged, afterMs: await confirmedSince(members, killedMs) });
      return;
    }
    clearInterval(ticking);
    for (const { session } of members) session.flush();
    const drained = await Promise.all(members.map(({ session }) => session.drained(request.limitMs)));
    reply({ kind: "drained", isComplete: drained.every((isDrained) => isDrained) });
  });
  process.on("disconnect", () => process.exit());
}

await main();
