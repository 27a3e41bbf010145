import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { encodeStreamFrame } from "@lockstep/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { ChannelGuest } from "./channel-guest.ts";
import { joinPlace } from "./channel-handshake.ts";
import { ChannelHub } from "./channel-hub.ts";
import { ChannelLink } from "./channel-link.ts";
import type { Seat } from "./seat.ts";
import { MAX_MESSAGE_BYTES } from "./workload.ts";

const JOB = "ab".repeat(32);
const SECRET = Buffer.alloc(32, 7);
const COUNT = 3;

let hub: ChannelHub;
let guests: ChannelGuest[] = [];
let sockets: Socket[] = [];
let clock = new ManualClock();
beforeEach(async () => {
  clock = new ManualClock();
  const options = { job: JOB, secret: SECRET, count: COUNT, isRefilled: false, host: "127.0.0.1" };
  hub = await ChannelHub.open({ ...options, clock, logger: SILENT_LOGGER });
});
afterEach(async () => {
  await Promise.all([hub.close(), ...guests.map((guest) => guest.close())]);
  for (const socket of sockets) socket.destroy();
  guests = [];
  sockets = [];
});

function seat(index: number, more: Partial<Seat> = {}): Seat {
  const secret = SECRET.toString("hex");
  return {
    job: JOB,
    attempt: 1,
    startedMs: 1,
    index,
    count: COUNT,
    host: "127.0.0.1",
    port: hub.port,
    secret,
    ...more,
  };
}

async function join(index: number, more: Partial<Seat> = {}): Promise<ChannelGuest> {
  const guest = await ChannelGuest.join(seat(index, more), systemClock());
  guests.push(guest);
  return guest;
}

async function all(): Promise<readonly [ChannelGuest, ChannelGuest]> {
  const [one, two] = [await join(1), await join(2)];
  await Promise.all([hub.allThere(), one.allThere(), two.allThere()]);
  return [one, two];
}

/** Bytes to place 0 of somebody who is no worker. @returns once place 0 has closed the connection: what it said */
async function stranger(...parts: readonly Uint8Array[]): Promise<Buffer> {
  const socket = connect({ host: "127.0.0.1", port: hub.port });
  sockets.push(socket);
  const said: Buffer[] = [];
  socket.on("data", (bytes) => said.push(bytes)).on("error", () => undefined);
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(said);
}

describe("messages", () => {
  test("come whole and in order, through place 0 where it is not meant itself, whatever their size", async () => {
    const [one, two] = await all();
    const sizes = [0, 1, 61_439, 61_440, 61_441, 500_000];
    const send = async () => {
      for (const [i, size] of sizes.entries()) {
        await one.send(2, Buffer.alloc(size, i));
        await one.send(0, Buffer.alloc(size, i));
        await hub.send(1, Buffer.alloc(size, i));
      }
    };
    const receive = async (end: Pick<ChannelHub, "receive">, from: number) => {
      for (const [i, size] of sizes.entries()) {
        const heard = await end.receive();
        expect(heard).toMatchObject({ kind: "message", from });
        if (heard.kind === "message") expect(Buffer.alloc(size, i).equals(heard.message)).toBe(true);
      }
    };
    await Promise.all([send(), receive(two, 1), receive(hub, 1), receive(one, 0)]);
  });

  test("that are sent at once do not mix", async () => {
    const [one] = await all();
    const messages = Array.from({ length: 5 }, (_, i) => Buffer.alloc(300_000 + i, i));
    await Promise.all(messages.map((message) => one.send(0, message)));
    for (const message of messages) {
      const heard = await hub.receive();
      expect(heard.kind === "message" && message.equals(heard.message)).toBe(true);
    }
  });

  test("wait where nobody receives: the sender is held up, and nothing is lost", async () => {
    const [one] = await all();
    const count = 12;
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < count; i++, sent++) await one.send(0, Buffer.alloc(MAX_MESSAGE_BYTES, i));
    })();
    for (let before = -1; before < sent; ) {
      before = sent;
      await new Promise<void>((resolve) => setTimeout(resolve, 1_000));
    }
    expect(sent).toBeLessThan(count);
    for (let i = 0; i < count; i++) {
      const heard = await hub.receive();
      expect(heard.kind === "message" && heard.message[MAX_MESSAGE_BYTES - 1] === i).toBe(true);
    }
    await sending;
  });
});

describe("a worker that leaves", () => {
  test("is announced to everybody, behind what it had said, and is not spoken to any more", async () => {
    const [one, two] = await all();
    await one.send(0, Buffer.from("bye"));
    await one.send(2, Buffer.from("bye"));
    await one.close();
    for (const end of [hub, two]) {
      expect(await end.receive()).toMatchObject({ kind: "message", from: 1 });
      expect(await end.receive()).toEqual({ kind: "left", from: 1 });
    }
    await expect(hub.send(1, Buffer.from("x"))).rejects.toMatchObject({ code: "peer-left" });
    await expect(two.send(1, Buffer.from("x"))).rejects.toMatchObject({ code: "peer-left" });
    await two.send(0, Buffer.from("still here"));
    expect(await hub.receive()).toMatchObject({ kind: "message", from: 2 });
  });

  test("takes everybody with it where it is place 0; then nothing more can come", async () => {
    const [one] = await all();
    await hub.close();
    expect(await one.receive()).toEqual({ kind: "left", from: 0 });
    expect(await one.receive()).toEqual({ kind: "left", from: 2 });
    await expect(one.receive()).rejects.toMatchObject({ code: "peer-left" });
    await expect(one.send(0, Buffer.from("x"))).rejects.toMatchObject({ code: "peer-left" });
  });

  test("before all are there ends it for all", async () => {
    const one = await join(1);
    await one.close();
    await expect(hub.allThere()).rejects.toMatchObject({ code: "peer-left" });
    await expect(one.allThere()).rejects.toMatchObject({ code: "peer-left" });
  });

  test("without a word is noticed by its silence", async () => {
    const one = await join(1);
    const silent = connect({ host: "127.0.0.1", port: hub.port });
    sockets.push(silent);
    await once(silent, "connect");
    silent.resume();
    const closed = once(silent, "close");
    while (true) {
      clock.advance(2_000);
      if ((await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 5, "open"))])) !== "open") break;
    }
    expect(silent.destroyed).toBe(true);
    // Signs of life come by the guest's own clock: it is silent by that of place 0.
    clock.advance(30_000);
    expect(await one.receive()).toMatchObject({ kind: "left" });
  });
});

describe("where places are taken again", () => {
  /** Two guests at a channel whose places are taken again. */
  async function refilled(): Promise<readonly [ChannelGuest, ChannelGuest]> {
    await hub.close();
    const options = { job: JOB, secret: SECRET, count: COUNT, isRefilled: true, host: "127.0.0.1" };
    hub = await ChannelHub.open({ ...options, clock, logger: SILENT_LOGGER });
    return await all();
  }

  test("whoever takes a place that was left is announced, and spoken to like the one before", async () => {
    const [one, two] = await refilled();
    await one.close();
    expect(await hub.receive()).toEqual({ kind: "left", from: 1 });
    const again = await join(1);
    await again.allThere();
    expect(await hub.receive()).toEqual({ kind: "joined", from: 1 });
    await hub.send(1, Buffer.from("welcome"));
    expect(await again.receive()).toMatchObject({ kind: "message", from: 0 });
    await again.send(2, Buffer.from("hello"));
    const heard = [await two.receive(), await two.receive(), await two.receive()];
    expect(heard.map(({ kind }) => kind)).toEqual(["left", "joined", "message"]);
  });

  test("whoever comes hears who is gone, and place 0 waits for somebody when nobody is there", async () => {
    const [one, two] = await refilled();
    await Promise.all([one.close(), two.close()]);
    const gone = [await hub.receive(), await hub.receive()];
    expect(gone.map(({ kind, from }) => `${kind} ${from}`).sort()).toEqual(["left 1", "left 2"]);
    const next = hub.receive();
    const again = await join(2);
    await again.allThere();
    expect(await again.receive()).toEqual({ kind: "left", from: 1 });
    expect(await next).toEqual({ kind: "joined", from: 2 });
  });

  test("whoever takes a place stands in for one that is silent, of whom nothing more is heard", async () => {
    const [one] = await refilled();
    const again = await join(1);
    await again.allThere();
    expect(await hub.receive()).toEqual({ kind: "left", from: 1 });
    expect(await hub.receive()).toEqual({ kind: "joined", from: 1 });
    expect(await one.receive()).toEqual({ kind: "left", from: 0 });
    await again.send(0, Buffer.from("it is me"));
    expect(await hub.receive()).toMatchObject({ kind: "message", from: 1 });
    await hub.send(1, Buffer.from("yes"));
    expect(await again.receive()).toMatchObject({ kind: "message", from: 0 });
  });

  test("place 0 is nobody else's", async () => {
    await refilled();
    const guest = await join(1, { index: 0 }).catch((error: { code: string }) => error);
    if (guest instanceof ChannelGuest) await expect(guest.allThere()).rejects.toMatchObject({ code: "peer-left" });
    else expect(guest.code).toBe("peer-left");
  });
});

test("a message says at both ends what it took on the connection", async () => {
  const [one] = await all();
  const sent = await one.send(0, Buffer.alloc(100_000, 3));
  const heard = await hub.receive();
  expect(heard).toMatchObject({ kind: "message", wireBytes: sent });
  // Two frames, each with its length, its envelope and its code.
  expect(sent).toBeGreaterThan(100_000 + 2 * (2 + 16));
  expect(sent).toBeLessThan(100_000 + 2 * 100);
});

describe("somebody who does not belong there", () => {
  test.for([
    ["another secret", { secret: "00".repeat(32) }],
    ["another job", { job: "cd".repeat(32) }],
    ["a place that is not there", { index: 3 }],
    ["the place of place 0", { index: 0 }],
  ] as const)("with %s is not let in", async ([, more]) => {
    const guest = await join(1, more).catch((error: { code: string }) => error);
    if (guest instanceof ChannelGuest) await expect(guest.allThere()).rejects.toMatchObject({ code: "peer-left" });
    else expect(guest.code).toBe("peer-left");
    expect(hub.taken).toBe(1);
  });

  test("on a place that is taken is not let in, and does not disturb", async () => {
    const [one] = await all();
    const second = await join(1);
    await expect(second.allThere()).rejects.toMatchObject({ code: "peer-left" });
    await one.send(0, Buffer.from("mine"));
    expect(await hub.receive()).toMatchObject({ kind: "message", from: 1 });
  });

  test("but has a place is not heard in the name of another", async () => {
    await join(2);
    const socket = connect({ host: "127.0.0.1", port: hub.port });
    sockets.push(socket);
    const link = new ChannelLink(socket, systemClock());
    const known = { job: JOB, secret: SECRET };
    const next = () => link.nextPart();
    link.begin(JOB, await joinPlace(known, 1, next, (bytes) => link.sendPart(bytes)));
    await link.send({ from: 2, to: 0, isLast: true, payload: Buffer.from("I am 2") });
    expect(await hub.receive()).toEqual({ kind: "left", from: 1 });
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
    expect(hub.taken).toBe(1);
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
    await expect(join(1, { port })).rejects.toMatchObject({ code: "peer-left" });
    server.close();
    await expect(join(1, { port })).rejects.toMatchObject({ code: "peer-left" });
  });
});

describe("between the two", () => {
  /** Join through somebody who changes what passes; `change` gets chunks towards place 0 once all are there. */
  async function through(change: (bytes: Buffer) => Buffer[]): Promise<ChannelGuest> {
    let isOn = false;
    const server = createServer((near) => {
      const far = connect({ host: "127.0.0.1", port: hub.port });
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
    const one = await join(1, { port: typeof address === "object" ? (address?.port ?? 0) : 0 });
    const two = await join(2);
    await Promise.all([hub.allThere(), one.allThere(), two.allThere()]);
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
    const heard = [await hub.receive()];
    if (heard[0]?.kind === "message") heard.push(await hub.receive());
    expect(heard.at(-1)).toEqual({ kind: "left", from: 1 });
    for (const one of heard) if (one.kind === "message") expect(Buffer.from(one.message).toString()).toBe("a message");
  });
});
