import { Socket } from "node:net";
import { expect, test } from "vitest";
import { MeteredStream } from "./metered-stream.ts";

const MUCH = Buffer.alloc(1 << 20);

/** A stream that nobody reads, and the socket below it. */
function setUp() {
  const socket = new Socket();
  const stream = new MeteredStream(socket, { up: () => true, down() {} });
  return { socket, stream };
}

test("a socket whose bytes the broker does not take stays unread when devices are let go", () => {
  const { socket, stream } = setUp();
  socket.emit("data", MUCH);
  expect(socket.isPaused()).toBe(true);
  stream.hold();
  stream.letGo();
  expect(socket.isPaused()).toBe(true);
  stream.read();
  stream.read();
  expect(socket.isPaused()).toBe(false);
  stream.destroy();
});

test("a socket that the broker reads is read on when devices are let go, and not before", () => {
  const { socket, stream } = setUp();
  stream.hold();
  stream.read();
  expect(socket.isPaused()).toBe(true);
  stream.letGo();
  expect(socket.isPaused()).toBe(false);
  stream.destroy();
});
