import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { encodeStreamFrame, StreamDeframer } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random-source.ts";
import { type FarEnd, Inbox, transportSuite } from "../transport.suite.ts";
import { TransportError } from "../transport.ts";
import { tcpTransport } from "./tcp.ts";

const clock = systemClock();
const random = systemRandom();

transportSuite("tcp", async (): Promise<FarEnd> => {
  const inbox = new Inbox();
  const sockets = new Set<Socket>();
  let isPaused = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    const deframer = new StreamDeframer();
    socket.on("data", (chunk) => {
      for (const message of deframer.push(chunk)) inbox.push("frames", message);
    });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    if (isPaused) socket.pause();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const setPaused = (paused: boolean) => {
    isPaused = paused;
    for (const socket of sockets) paused ? socket.pause() : socket.resume();
  };
  return {
    hasTopics: false,
    transport: () => tcpTransport({ url: `tcp://127.0.0.1:${port}`, clock, random }),
    next: () => inbox.next(),
    send(bytes) {
      for (const socket of sockets) socket.write(encodeStreamFrame(bytes));
    },
    drop() {
      for (const socket of sockets) socket.destroy();
    },
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
});

test("an address that is not one of a listener is refused with its form", () => {
  for (const url of ["localhost:1883", "tcp://localhost", "tcp://:1", "mqtt://localhost:1", ""]) {
    expect(() => tcpTransport({ url, clock, random })).toThrow(TransportError);
  }
});

test("a stream that is not framed ends the connection, and says why", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(Buffer.of(0, 0));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const transport = tcpTransport({ url: `tcp://127.0.0.1:${port}`, clock, random });
  const reason = await new Promise<string>((disconnected) => {
    void transport.open({ connected() {}, disconnected, message() {}, drained() {} }, Uint8Array.of(0));
  });
  expect(reason).toMatch(/byte stream is broken/);
  await transport.close();
  await new Promise((resolve) => server.close(resolve));
});
