import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { encodeStreamFrame } from "@lockstep/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { channelSuite } from "./channel.suite.ts";
import type { ChannelGuest } from "./channel-guest.ts";
import { joinPlace } from "./channel-handshake.ts";
import { ChannelLink } from "./channel-link.ts";
import { ChannelRig, JOB, SECRET } from "./channel-rig.suite.ts";

const REACH = { channelHost: "127.0.0.1" };

channelSuite("over TCP", () => REACH);

let rig: ChannelRig;
let sockets: Socket[] = [];
beforeEach(async () => {
  rig = await ChannelRig.open(REACH);
});
afterEach(async () => {
  await rig.close();
  for (const socket of sockets) socket.destroy();
  sockets = [];
});

function hubPort(): number {
  return Number(new URL(rig.hub.address).port);
}

/** Bytes to place 0 of somebody who is no worker. @returns once place 0 has closed the connection: what it said */
async function stranger(...parts: readonly Uint8Array[]): Promise<Buffer> {
  const socket = connect(hubPort(), "127.0.0.1");
  sockets.push(socket);
  const said: Buffer[] = [];
  socket.on("data", (bytes) => said.push(bytes)).on("error", () => undefined);
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(said);
}

test("a worker that leaves without a word is noticed by its silence", async () => {
  const one = await rig.join(1);
  const silent = connect(hubPort(), "127.0.0.1");
  sockets.push(silent);
  await once(silent, "connect");
  silent.resume();
  const closed = once(silent, "close");
  while (true) {
    rig.clock.advance(2_000);
    if ((await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 5, "open"))])) !== "open") break;
  }
  expect(silent.destroyed).toBe(true);
  // Signs of life come by the guest's own clock: it is silent by that of place 0.
  rig.clock.advance(30_000);
  expect(await one.receive()).toMatchObject({ kind: "left" });
});

test("a message says at both ends what it took on the connection", async () => {
  const [one] = await rig.all();
  const sent = await one.send(0, Buffer.alloc(100_000, 3));
  const heard = await rig.hub.receive();
  expect(heard).toMatchObject({ kind: "message", wireBytes: sent });
  // Two frames, each with its length, its envelope and its code.
  expect(sent).toBeGreaterThan(100_000 + 2 * (2 + 16));
  expect(sent).toBeLessThan(100_000 + 2 * 100);
});

describe("somebody who does not belong there", () => {
  test("but has a place is not heard in the name of another", async () => {
    await rig.join(2);
    const socket = connect(hubPort(), "127.0.0.1");
    sockets.push(socket);
    const link = new ChannelLink(socket, systemClock());
    const known = { job: JOB, secret: SECRET };
    const next = () => link.nextPart();
    link.begin(JOB, await joinPlace(known, 1, next, (bytes) => link.sendPart(bytes)));
    await link.send({ from: 2, to: 0, isLast: true, payload: Buffer.from("I am 2") });
    expect(await rig.hub.receive()).toEqual({ kind: "left", from: 1 });
    link.destroy();
  });

  test("is told nothing but a nonce and a proof, whatever it says", async () => {
    const hello = encodeStreamFrame(Buffer.concat([Buffer.of(1, 0, 1), Buffer.alloc(32)]));
    const proof = encodeStreamFrame(Buffer.concat([Buffer.of(3), Buffer.alloc(32)]));
    expect(await stranger(hello, proof)).toHaveLength(2 + 1 + 64);
    expect(await stranger(proof)).toHaveLength(0);
    expect(await stranger(Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(100_000, 65))).toHaveLength(0);
    expect(await stranger(Buffer.of(0, 0))).toHaveLength(0);
    expect(await stranger(encodeStreamFrame(Buffer.of(1)))).toHaveLength(0);
    expect(rig.hub.taken).toBe(1);
  });

  test("in the place of place 0 is not believed", async () => {
    const server = createServer((socket) => {
      socket
        .on("error", () => undefined)
        .once("data", () => {
          socket.write(encodeStreamFrame(Buffer.concat([Buffer.of(2), Buffer.alloc(64, 5)])));
        });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await expect(rig.join(1, { address: `tcp://127.0.0.1:${port}` })).rejects.toMatchObject({ code: "peer-left" });
    server.close();
    await expect(rig.join(1, { address: `tcp://127.0.0.1:${port}` })).rejects.toMatchObject({ code: "peer-left" });
  });
});

describe("between the two", () => {
  /** Join through somebody who changes what passes; `change` gets chunks towards place 0 once all are there. */
  async function through(change: (bytes: Buffer) => Buffer[]): Promise<ChannelGuest> {
    let isOn = false;
    const server = createServer((near) => {
      const far = connect(hubPort(), "127.0.0.1");
      sockets.push(near, far);
      far
        .on("data", (bytes) => near.write(bytes))
        .on("error", () => undefined)
        .on("close", () => near.destroy());
      near.on("data", (bytes) => {
        for (const part of isOn ? change(bytes) : [bytes]) far.write(part);
      });
      near.on("error", () => undefined).on("close", () => far.end());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const one = await rig.join(1, { address: `tcp://127.0.0.1:${port}` });
    const two = await rig.join(2);
    await Promise.all([rig.hub.allThere(), one.allThere(), two.allThere()]);
    isOn = true;
    server.close();
    return one;
  }

  test.for([
    ["changed", (bytes: Buffer) => [Buffer.from(bytes.map((byte, i) => (i === bytes.length - 10 ? byte ^ 1 : byte)))]],
    [
      "of a wrong MAC",
      (bytes: Buffer) => [Buffer.from(bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)))],
    ],
    ["sent twice", (bytes: Buffer) => [bytes, bytes]],
    ["cut short", (bytes: Buffer) => [Buffer.from([0, bytes.length - 3, ...bytes.subarray(2, -1)])]],
  ] as const)("a frame that is %s ends the connection; nothing wrong is heard", async ([, change]) => {
    const one = await through(change);
    await one.send(0, Buffer.from("a message"));
    const heard = [await rig.hub.receive()];
    if (heard[0]?.kind === "message") heard.push(await rig.hub.receive());
    expect(heard.at(-1)).toEqual({ kind: "left", from: 1 });
    for (const one of heard) if (one.kind === "message") expect(Buffer.from(one.message).toString()).toBe("a message");
  });
});
