/** Entry of a process of its own: many light devices. Started with a `FleetOrder`. */
import { connectAsync } from "mqtt";
import type { DeviceTruth, FleetOrder, FleetReply, FleetRequest, RunTally } from "./cloud-messages.ts";
import { FrameTemplate } from "./cloud-template.ts";
import { LightDevice } from "./light-device.ts";
import { plainBody } from "./plain-cargo.ts";

/** Connections that are made at once. */
const CONNECTED_AT_ONCE = 200;
const TICK_MS = 5;
const REMIND_MS = 1_000;
const PING_MS = 20_000;
const POLL_MS = 20;
/** As long as a frame of ours. */
const ECHO_BYTES = 60;

class Fleet {
  readonly #order: FleetOrder;
  readonly #devices: LightDevice[];
  readonly #templates: readonly FrameTemplate[];
  #next = 0;

  constructor(order: FleetOrder, templates: readonly FrameTemplate[]) {
    this.#order = order;
    this.#templates = templates;
    const { port, group, cargo } = order;
    this.#devices = Array.from({ length: order.devices }, (_, i) => {
      const template = this.#templateOf(i);
      const plain = (seq: number) => plainBody(cargo === "json" ? "json" : "float32", template, seq);
      return new LightDevice({ port, group, device: `d-${i + 1}`, nonce: i + 1, cargo, template, plain });
    });
    setInterval(() => this.#each((device) => device.remind(performance.now())), REMIND_MS).unref();
    setInterval(() => this.#each((device) => device.ping()), PING_MS).unref();
  }

  async connect(): Promise<number> {
    const startMs = performance.now();
    for (let i = 0; i < this.#devices.length; i += CONNECTED_AT_ONCE) {
      const part = this.#devices.slice(i, i + CONNECTED_AT_ONCE);
      for (const device of part) device.connect();
      while (part.some(({ isLive }) => !isLive)) await pause(POLL_MS);
    }
    return performance.now() - startMs;
  }

  async run({ framesPerSecond, seconds, window, echoesPerSecond }: Extract<FleetRequest, { kind: "run" }>) {
    const cpu = process.cpuUsage();
    const before = this.#totals();
    const startMs = performance.now();
    const echoMs: number[] = [];
    const echo = echoesPerSecond > 0 ? await this.#openEcho(echoesPerSecond, echoMs) : undefined;
    let due = 0;
    let heldMost = 0;
    for (;;) {
      const nowMs = performance.now();
      const elapsedMs = Math.min(nowMs - startMs, 1000 * seconds);
      if (framesPerSecond === 0) this.#produceAhead(window);
      else {
        const wanted = Math.floor((framesPerSecond * elapsedMs) / 1000);
        for (; due < wanted; due += 1) this.#produceNext();
      }
      for (const device of this.#devices) device.sendDue(window, clockMs());
      const { produced, sent } = this.#totals();
      heldMost = Math.max(heldMost, produced - sent);
      if (elapsedMs >= 1000 * seconds) break;
      await pause(TICK_MS);
    }
    await echo?.();
    const after = this.#totals();
    const used = process.cpuUsage(cpu);
    const tally: RunTally = {
      produced: after.produced - before.produced,
      sent: after.sent - before.sent,
      confirmed: after.confirmed - before.confirmed,
      wallMs: performance.now() - startMs,
      cpuMs: (used.user + used.system) / 1000,
      heldMost,
      echoMs,
    };
    return tally;
  }

  async drain(limitMs: number, window = 512): Promise<{ unconfirmed: number; ms: number }> {
    const startMs = performance.now();
    for (;;) {
      for (const device of this.#devices) device.sendDue(window, clockMs());
      const { produced, confirmed } = this.#totals();
      const ms = performance.now() - startMs;
      if (produced === confirmed || ms > limitMs) return { unconfirmed: produced - confirmed, ms };
      await pause(POLL_MS);
    }
  }

  account(withTimes: boolean): DeviceTruth[] {
    return this.#devices.map(({ device, sent, confirmed, sentMs, traffic }, i) => ({
      device,
      template: i % this.#templates.length,
      sent,
      confirmed,
      sentMs: withTimes ? sentMs : [],
      ...traffic,
    }));
  }

  close(): void {
    this.#each((device) => device.close());
  }

  #each(act: (device: LightDevice) => void): void {
    for (const device of this.#devices) act(device);
  }

  #templateOf(i: number): FrameTemplate {
    const template = this.#templates[i % this.#templates.length];
    if (template === undefined) throw new RangeError("a fleet needs a template");
    return template;
  }

  #totals(): { produced: number; sent: number; confirmed: number } {
    let [produced, sent, confirmed] = [0, 0, 0];
    for (const device of this.#devices) {
      produced += device.produced;
      sent += device.sent;
      confirmed += device.confirmed;
    }
    return { produced, sent, confirmed };
  }

  /** One more frame of the next device, in turns. */
  #produceNext(): void {
    const device = this.#devices[this.#next % this.#devices.length];
    this.#next += 1;
    if (device !== undefined) device.produced = Math.min(device.produced + 1, this.#order.frames);
  }

  #produceAhead(window: number): void {
    this.#each((device) => {
      device.produced = Math.min(device.confirmed + window, this.#order.frames);
    });
  }

  /** Plain messages to the broker and back. @returns ends it */
  async #openEcho(perSecond: number, echoMs: number[]): Promise<() => Promise<void>> {
    const client = await connectAsync(`mqtt://127.0.0.1:${this.#order.port}`, {
      protocolVersion: 4,
      timerVariant: "native",
      clientId: `echo-${process.pid}`,
    });
    if ("setNoDelay" in client.stream && typeof client.stream.setNoDelay === "function") client.stream.setNoDelay(true);
    await client.subscribeAsync(`echo/${process.pid}`, { qos: 0 });
    client.on("message", (_topic, payload) => echoMs.push(performance.now() - payload.readDoubleLE(0)));
    const timer = setInterval(() => {
      const payload = Buffer.alloc(ECHO_BYTES);
      payload.writeDoubleLE(performance.now(), 0);
      client.publish(`echo/${process.pid}`, payload, { qos: 0 });
    }, 1000 / perSecond);
    return async () => {
      clearInterval(timer);
      await client.endAsync(true);
    };
  }
}

/** Ms on the clock that all processes share. */
function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function reply(message: FleetReply): void {
  process.send?.(message);
}

async function main(order: FleetOrder): Promise<void> {
  const templates: FrameTemplate[] = [];
  for (let seed = 1; seed <= order.templates; seed += 1) templates.push(await FrameTemplate.make(seed, order.frames));
  const fleet = new Fleet(order, templates);
  process.on("disconnect", () => process.exit());
  process.on("message", (request: FleetRequest) => void answer(fleet, request));
  reply({ kind: "ready" });
}

async function answer(fleet: Fleet, request: FleetRequest): Promise<void> {
  if (request.kind === "connect") reply({ kind: "connected", ms: await fleet.connect() });
  else if (request.kind === "run") reply({ kind: "ran", ...(await fleet.run(request)) });
  else if (request.kind === "drain") reply({ kind: "drained", ...(await fleet.drain(request.limitMs)) });
  else if (request.kind === "account") reply({ kind: "account", devices: fleet.account(request.withTimes) });
  else {
    fleet.close();
    process.exit();
  }
}

await main(JSON.parse(process.argv[2] ?? "{}") as FleetOrder);
