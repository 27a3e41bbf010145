import { expect, test } from "vitest";
import type { JobChannel, PeerNews } from "../../jobs/workload.ts";
import { Coordinator } from "./coordinator.ts";
import { ExchangeLink } from "./exchange-link.ts";
import { type DownMessage, decodeDown, encodeContribution, encodeReady } from "./exchange-message.ts";

const STATE = [{ name: "value", bytes: Uint8Array.of(1, 2, 3, 4) }];

/** Place 0's channel, of which a test says what comes in, and holds back what goes out. */
class HeldChannel implements JobChannel {
  readonly index = 0;
  readonly count = 2;
  readonly sent: DownMessage[] = [];
  #news: PeerNews[] = [];
  #heard = Promise.withResolvers<void>();
  #isOpen = Promise.resolve();
  #open = () => {};

  /** Nothing leaves until `release`. */
  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#isOpen = promise;
    this.#open = resolve;
  }

  release(): void {
    this.#open();
  }

  say(news: PeerNews | Uint8Array): void {
    this.#news.push(
      news instanceof Uint8Array ? { kind: "message", from: 1, message: pieceOf(news), wireBytes: news.length } : news,
    );
    this.#heard.resolve();
  }

  async send(_to: number, piece: Uint8Array): Promise<number> {
    await this.#isOpen;
    this.sent.push(decodeDown(piece.slice(1)));
    return piece.length;
  }

  async receive(): Promise<PeerNews> {
    for (;;) {
      const next = this.#news.shift();
      if (next !== undefined) return next;
      await this.#heard.promise;
      this.#heard = Promise.withResolvers<void>();
    }
  }
}

/** A whole message as one piece. */
function pieceOf(message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(0), message]);
}

class Rig {
  readonly channel = new HeldChannel();
  readonly events: string[] = [];
  /** Ends the wait that is under way. */
  patienceEnds = () => {};
  readonly coordinator: Coordinator;

  constructor(mostWaitingBytes = 1 << 20) {
    this.coordinator = new Coordinator(new ExchangeLink(this.channel, new AbortController().signal), {
      ...{ patienceMs: 1, startMs: 1, mostWaitingBytes },
      wait: (_, signal) =>
        new Promise((resolve) => {
          this.patienceEnds = resolve;
          signal.addEventListener("abort", () => resolve());
        }),
      onEvent: (line) => this.events.push(line),
    });
  }

  async open(step: number): Promise<void> {
    await settled();
    const opening = this.coordinator.open(step, async () => STATE);
    await settled();
    await opening;
    await settled();
  }

  /** A step with whoever comes; patience ends where somebody does not. @returns ranks that it has */
  async round(step: number, bytes = 10): Promise<number[]> {
    const made = this.coordinator.round(step, { rank: 0, loss: 2, bytes: new Uint8Array(bytes) });
    await settled();
    this.patienceEnds();
    const { contributions } = await made;
    await settled();
    return contributions.map(({ rank }) => rank);
  }

  /** What place 1 sends for a step. */
  contribute(step: number): void {
    this.channel.say(encodeContribution(step, { loss: 3, bytes: Uint8Array.of(step) }));
  }

  /** What place 1 was sent: `go 3`, `go 3 with state`, `round 3: 0,1`. */
  told(): string[] {
    return this.channel.sent.map((message) =>
      message.kind === "go"
        ? `go ${message.step}${message.state === undefined ? "" : " with state"}`
        : `round ${message.step}: ${message.contributions.map(({ rank }) => rank)}`,
    );
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function begun(mostWaitingBytes?: number): Promise<Rig> {
  const rig = new Rig(mostWaitingBytes);
  rig.channel.say(encodeReady(0));
  await rig.open(0);
  return rig;
}

test("a worker that is ready is let go on, and its contribution is in the round", async () => {
  const rig = await begun();
  rig.contribute(0);
  expect(await rig.round(0)).toEqual([0, 1]);
  expect(rig.told()).toEqual(["go 0", "round 0: 0,1"]);
});

test("a run that goes on from a checkpoint gives everybody its state", async () => {
  const rig = new Rig();
  rig.channel.say(encodeReady(0));
  await rig.open(25);
  expect(rig.told()).toEqual(["go 25 with state"]);
});

test("a worker whose contribution comes too late is left out, hears of it, and is let in when it says that it is ready", async () => {
  const rig = await begun();
  expect(await rig.round(0)).toEqual([0]);
  rig.contribute(0);
  await rig.open(1);
  expect(await rig.round(1)).toEqual([0]);
  rig.channel.say(encodeReady(2));
  await rig.open(2);
  rig.contribute(2);
  expect(await rig.round(2)).toEqual([0, 1]);
  expect(rig.told()).toEqual(["go 0", "round 0: 0", "round 1: 0", "go 2", "round 2: 0,1"]);
  expect(rig.events).toEqual(["step 0 goes on without worker 1", "worker 1 takes part from step 2 on"]);
});

test("a worker that has far to catch up is let in when it is near, and not again for what it said before", async () => {
  const rig = await begun();
  expect(await rig.round(0)).toEqual([0]);
  rig.channel.say(encodeReady(1));
  for (let step = 1; step < 100; step += 1) {
    await rig.open(step);
    expect(await rig.round(step)).toEqual([0]);
  }
  // Let in at step 1, it did not come; its word of step 2 comes 98 steps late.
  rig.channel.say(encodeReady(2));
  await rig.open(100);
  expect(await rig.round(100)).toEqual([0]);
  rig.channel.say(encodeReady(90));
  await rig.open(101);
  for (const step of [91, 92, 101]) rig.channel.say(encodeReady(step));
  rig.contribute(101);
  expect(await rig.round(101)).toEqual([0, 1]);
  await rig.open(102);
  rig.contribute(102);
  expect(await rig.round(102)).toEqual([0, 1]);
  expect(rig.told().filter((what) => what.startsWith("go"))).toEqual(["go 0", "go 1", "go 101"]);
});

test("nobody waits for a worker that is gone, and whoever takes its place gets the whole state", async () => {
  const rig = await begun();
  rig.channel.say({ kind: "left", from: 1 });
  expect(await rig.round(0)).toEqual([0]);
  rig.channel.say({ kind: "joined", from: 1 });
  rig.channel.say(encodeReady(0));
  await rig.open(1);
  rig.contribute(1);
  expect(await rig.round(1)).toEqual([0, 1]);
  expect(rig.told()).toEqual(["go 0", "go 1 with state", "round 1: 0,1"]);
});

test("what was meant for a worker that is gone is not sent to the one in its place", async () => {
  const rig = await begun();
  rig.channel.hold();
  rig.contribute(0);
  await rig.round(0);
  rig.contribute(1);
  await rig.round(1);
  rig.channel.say({ kind: "left", from: 1 });
  rig.channel.say({ kind: "joined", from: 1 });
  await settled();
  rig.channel.release();
  await settled();
  // The first of them was on its way already.
  expect(rig.told()).toEqual(["go 0", "round 0: 0,1"]);
});

test("a worker that does not take what it is sent gets no more of it, and the whole state once it took that", async () => {
  const rig = await begun(50);
  rig.channel.hold();
  rig.contribute(0);
  expect(await rig.round(0, 60)).toEqual([0, 1]);
  // Too much waits by now: nothing of this one, though it is in it.
  rig.contribute(1);
  expect(await rig.round(1)).toEqual([0, 1]);
  await rig.open(2);
  expect(await rig.round(2)).toEqual([0]);
  rig.channel.release();
  await rig.open(3);
  rig.contribute(3);
  expect(await rig.round(3)).toEqual([0, 1]);
  expect(rig.told()).toEqual(["go 0", "round 0: 0,1", "go 3 with state", "round 3: 0,1"]);
  expect(rig.events).toContain("worker 1 does not take what it is sent: it will go on from the whole state");
});

test("the state that somebody waits for is no reason to leave it behind", async () => {
  const rig = new Rig(1);
  rig.channel.say(encodeReady(0));
  await settled();
  const opening = rig.open(7);
  await opening;
  rig.contribute(7);
  expect(await rig.round(7)).toEqual([0, 1]);
  expect(rig.told()).toEqual(["go 7 with state", "round 7: 0,1"]);
});

test("what no worker says ends the run by its name", async () => {
  const rig = await begun();
  rig.channel.say(Uint8Array.of(9, 0, 0, 0, 0));
  await settled();
  await expect(rig.coordinator.round(0, { rank: 0, loss: 1, bytes: new Uint8Array() })).rejects.toMatchObject({
    code: "bad-message",
  });
});
