import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from "@lockstep/cloud-node";
import { mqttClientId } from "@lockstep/protocol";
import { afterEach, expect, test } from "vitest";
import { connectPacket, publishPacket } from "./mqtt-packets.ts";
import { becomes, GROUP, HOST, speaks, Target, THIEF } from "./target.ts";

const SHORT: ConnectionLimits = { ...DEFAULT_CONNECTION_LIMITS, firstWordMs: 300, messageMs: 300 };
const LONG_MS = 3_600_000;
const LONG: ConnectionLimits = { ...DEFAULT_CONNECTION_LIMITS, firstWordMs: LONG_MS, messageMs: LONG_MS };
/** Far below anything that would end a connection by itself; reached only when something is broken. */
const PATIENCE_MS = 20_000;
/** How long a connection is looked at where nothing should end it. */
const HELD_MS = 1_000;
const DRIBBLE_MS = 40;

let target: Target | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await target?.close();
  target = undefined;
});

type Port = "mqtt" | "tcp";

async function dial(at: Target, port: Port): Promise<Socket> {
  const number = port === "mqtt" ? Number(new URL(at.url).port) : (at.node.tcpPort ?? 0);
  const socket = connect({ host: HOST, port: number, noDelay: true });
  sockets.push(socket);
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  return socket;
}

/** Send bytes one by one, never ending, slowly. */
function dribble(socket: Socket, bytes: Uint8Array): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= bytes.length) clearInterval(timer);
    else socket.write(bytes.subarray(at, ++at));
  }, DRIBBLE_MS);
  socket.on("close", () => clearInterval(timer));
}

const login = (at: Target) => connectPacket(mqttClientId(GROUP, THIEF), THIEF, at.passwordOf(THIEF));
/** The beginning of a frame, or of a packet, of 1,000 bytes: the rest would take a minute. */
const FRAME = Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.alloc(1_000)]);

/** Connections that are held for nothing. */
const LORISES: readonly [string, Port, (socket: Socket, at: Target) => void][] = [
  ["says nothing over MQTT", "mqtt", () => {}],
  ["never ends its CONNECT", "mqtt", (socket, at) => dribble(socket, login(at))],
  ["says nothing over TCP", "tcp", () => {}],
  ["never ends its birth", "tcp", (socket) => dribble(socket, FRAME)],
  [
    "logs in, and never ends a message",
    "mqtt",
    (socket, at) => {
      socket.write(login(at));
      socket.once("data", () => dribble(socket, Buffer.concat([Buffer.from([0x30, 0xe8, 0x07]), Buffer.alloc(1_000)])));
    },
  ],
];

for (const [name, port, attack] of LORISES) {
  test(`a connection that ${name} is ended, and an honest device goes on meanwhile`, async () => {
    target = await (await Target.of(true)).start({ connections: SHORT });
    const victim = await target.victim();
    const socket = await dial(target, port);
    attack(socket, target);
    expect(await becomes(() => socket.closed, PATIENCE_MS)).toBe(true);
    expect(target.node.counters()["connections.too-slow"]).toBe(1);
    expect(await speaks(victim)).toBe(true);
  });

  test(`a connection that ${name} is held where there is no limit, so that its end proves something`, async () => {
    target = await (await Target.of(true)).start({ connections: LONG });
    const socket = await dial(target, port);
    attack(socket, target);
    expect(await becomes(() => socket.closed, HELD_MS)).toBe(false);
  });
}

test.for<Port>(["mqtt", "tcp"])(
  "an address has so many connections over %s and no more, until one of them ends",
  async (port) => {
    target = await (await Target.of(true)).start({ connections: { ...LONG, perLoopbackAddress: 3 } });
    const { node } = target;
    const held = [await dial(target, port), await dial(target, port), await dial(target, port)];
    const refused = await dial(target, port);
    expect(await becomes(() => refused.closed, PATIENCE_MS)).toBe(true);
    expect(held.filter(({ closed }) => closed)).toEqual([]);
    expect(node.counters()["connections.too-many"]).toBe(1);
    held[0]?.destroy();
    // The node hears of that end some time later.
    await becomes(() => false, 100);
    const taken = await dial(target, port);
    expect(await becomes(() => taken.closed, HELD_MS)).toBe(false);
  },
);

test("a packet that claims to be longer than any frame is refused when it begins, and nothing of it is kept", async () => {
  target = await (await Target.of(true)).start();
  const victim = await target.victim();
  const socket = await dial(target, "mqtt");
  socket.write(login(target));
  await once(socket, "data");
  // PUBLISH of 268,435,455 bytes, the most that MQTT can say.
  socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
  expect(await becomes(() => socket.closed, PATIENCE_MS)).toBe(true);
  expect(target.node.counters()["refused.mqtt-packet-too-large"]).toBe(1);
  expect(await speaks(victim)).toBe(true);
});

test("a CONNECT of megabytes, which needs no log-in, is refused when it begins", async () => {
  target = await (await Target.of(true)).start();
  const socket = await dial(target, "mqtt");
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x01]));
  expect(await becomes(() => socket.closed, PATIENCE_MS)).toBe(true);
});

test("a packet as long as the longest frame needs is taken, so that the refusals prove something", async () => {
  target = await (await Target.of(true)).start();
  const socket = await dial(target, "mqtt");
  socket.write(login(target));
  await once(socket, "data");
  const topic = `ls/v1/${GROUP}/${THIEF}/f`;
  socket.write(publishPacket(topic, Buffer.alloc(65_535)));
  const [answer] = (await once(socket, "data")) as [Buffer];
  // PUBACK
  expect(answer[0]).toBe(0x40);
});
