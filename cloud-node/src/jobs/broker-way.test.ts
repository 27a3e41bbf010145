import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { EmbeddedBroker } from "../broker/embedded-broker.ts";
import { openBroker } from "../broker/open-broker.suite.ts";
import { systemClock } from "../clock.ts";
import { BrokerStream } from "./broker-stream.ts";
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
    stranger.on("message", (topic) => heard.resolve(topic));
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

  test("deliver once what a broker says twice", async () => {
    rig = await ChannelRig.open(reach());
    const [one] = await rig.all();
    // The first message of place 1, once more.
    await say("u", Buffer.of(0, 0, 0, 0, 0, 1, 2, 3));
    await one.send(0, Buffer.from("after it"));
    expect(await rig.hub.receive()).toMatchObject({ kind: "message", from: 1 });
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
  let again: ChannelGuest | undefined;
  // Until place 0 has found the broker again.
  while (again === undefined) again = await rig.join(1).catch(() => undefined);
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

test("a stream sends no more than sixteen messages that nobody has read", () => {
  const sent: Buffer[] = [];
  const stream = new BrokerStream((message) => sent.push(message), 0);
  for (let i = 0; i < 40; i++) stream.write(Buffer.alloc(10));
  expect(sent).toHaveLength(16);
  stream.receive(Buffer.of(1, 0, 0, 0, 5));
  expect(sent).toHaveLength(21);
  // What was overtaken on its way.
  stream.receive(Buffer.of(1, 0, 0, 0, 3));
  expect(sent).toHaveLength(21);
  stream.destroy();
});
