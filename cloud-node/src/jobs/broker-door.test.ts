import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { EmbeddedBroker } from "../broker/embedded-broker.ts";
import { openBroker } from "../broker/open-broker.suite.ts";
import { systemClock } from "../clock.ts";
import { channelSuite } from "./channel.suite.ts";
import { ChannelGuest } from "./channel-guest.ts";
import type { ChannelReach } from "./channel-reach.ts";
import { ChannelRig } from "./channel-rig.suite.ts";

let broker: EmbeddedBroker;
beforeAll(async () => {
  broker = await openBroker();
});
afterAll(() => broker.close());

const reach = (): ChannelReach => ({
  channelHost: "127.0.0.1",
  channelBroker: { url: `mqtt://127.0.0.1:${broker.port}` },
});

channelSuite("over a broker", reach);

describe("the topics of a channel", () => {
  let rig: ChannelRig;
  let stranger: MqttClient;
  afterEach(async () => {
    await rig.close();
    await stranger.endAsync();
  });

  /** Messages of a client that is no worker, on topics of the channel. */
  async function say(direction: "u" | "d", ...messages: readonly Uint8Array[]): Promise<void> {
    const heard = Promise.withResolvers<string>();
    stranger = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    // Only place 0 speaks there, and to place 1.
    stranger.on("message", (topic) => topic.endsWith("/d") && heard.resolve(topic));
    await stranger.subscribeAsync("ls/exchange/#");
    await rig.hub.send(1, Buffer.from("x"));
    const topic = (await heard.promise).replace(/[ud]$/, direction);
    for (const message of messages) await stranger.publishAsync(topic, Buffer.from(message), { qos: 1 });
  }

  test.for([
    ["too short", Buffer.of(0)],
    ["of a kind that there is not", Buffer.of(9, 0, 0, 0, 0)],
    ["out of turn", Buffer.of(0, 0, 0, 1, 0, 1)],
    ["taking what was never sent", Buffer.of(1, 0, 0, 9, 9)],
    ["an early end", Buffer.of(2, 0, 0, 9, 9)],
    // As the third message, or as one of those behind it, where the worker has shown meanwhile that it is alive.
    ["in turn, of somebody who knows no key", ...[2, 3, 4, 5].map((i) => Buffer.of(0, 0, 0, 0, i, 0, 3, 1, 2, 3))],
  ] as const)("take nothing wrong for a worker's: what is %s ends that connection alone", async ([, ...messages]) => {
    rig = await ChannelRig.open(reach());
    const [, two] = await rig.all();
    await say("u", ...messages);
    expect(await rig.hub.receive()).toEqual({ kind: "left", from: 1 });
    await two.send(0, Buffer.from("still here"));
    expect(await rig.hub.receive()).toMatchObject({ kind: "message", from: 2 });
  });

  test.for([
    ["it is gone", Buffer.of(3, 0, 0, 0, 0)],
    ["it is too short", Buffer.of(0)],
    ["more was taken than sent", Buffer.of(1, 0, 0, 9, 9)],
  ] as const)("do the same to a guest that is told %s: it has lost the others", async ([, message]) => {
    rig = await ChannelRig.open(reach());
    const [one, two] = await rig.all();
    await say("d", message);
    expect(await one.receive()).toMatchObject({ kind: "message", from: 0 });
    expect(await one.receive()).toEqual({ kind: "left", from: 0 });
    expect(await rig.hub.receive()).toEqual({ kind: "left", from: 1 });
    await two.send(0, Buffer.from("still here"));
    expect(await rig.hub.receive()).toMatchObject({ kind: "message", from: 2 });
  });

  test("tell somebody who thinks he has a connection that he has none", async () => {
    rig = await ChannelRig.open(reach());
    await rig.all();
    await say("d");
    const route = rig.hub.address.split(":")[1];
    const answer = new Promise<Buffer>((resolve) => {
      stranger.on("message", (topic, message) => topic.endsWith("/nobody/d") && resolve(message));
    });
    await stranger.publishAsync(`ls/exchange/${route}/nobody/u`, Buffer.of(0, 0, 0, 0, 7, 1), { qos: 1 });
    expect(await answer).toEqual(Buffer.of(3, 0, 0, 0, 0));
    expect(rig.hub.taken).toBe(3);
  });
});

test("a broker that goes takes the connections with it; whoever comes again over the next one is let in", async () => {
  const first = await openBroker();
  const port = first.port;
  const channelBroker = { url: `mqtt://127.0.0.1:${port}` };
  const rig = await ChannelRig.open({ channelHost: "127.0.0.1", channelBroker });
  const [one] = await rig.refilled();
  await first.close();
  const gone = [await rig.hub.receive(), await rig.hub.receive()];
  expect(gone.map(({ kind, from }) => `${kind} ${from}`).sort()).toEqual(["left 1", "left 2"]);
  expect(await one.receive()).toMatchObject({ kind: "left" });
  const second = await openBroker(port);
  while (!rig.logged.some((line) => line.includes("is there again"))) {
    rig.clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const again = await rig.join(1);
  await again.allThere();
  await again.send(0, Buffer.from("back"));
  expect(await rig.hub.receive()).toEqual({ kind: "joined", from: 1 });
  expect(await rig.hub.receive()).toMatchObject({ kind: "message", from: 1 });
  await rig.close();
  await second.close();
});

test("a broker that is not there, or takes not anybody, is told to place 0 with what to do", async () => {
  const closed = await openBroker(0, false);
  for (const port of [1, closed.port]) {
    const opening = ChannelRig.open({ channelHost: "127.0.0.1", channelBroker: { url: `mqtt://127.0.0.1:${port}` } });
    await expect(opening).rejects.toMatchObject({
      code: "failed",
      remedy: expect.stringContaining("--channel-broker"),
    });
  }
  await closed.close();
});

test("a worker without a broker says so where place 0 is reached by one", async () => {
  const rig = await ChannelRig.open(reach());
  const joining = ChannelGuest.join(rig.seat(1), { channelHost: "127.0.0.1" }, systemClock());
  await expect(joining).rejects.toMatchObject({
    code: "peer-left",
    message: expect.stringContaining("--channel-broker"),
  });
  await rig.close();
});
