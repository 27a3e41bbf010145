import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { systemClock } from "@lockstep/edge-sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ByteStreamProxy } from "./byte-stream-proxy.ts";

/** Sends back what it gets. */
const echo = createServer((socket) => {
  socket.on("error", () => {});
  socket.pipe(socket);
});
let port = 0;
const clock = systemClock();

beforeAll(async () => {
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  const address = echo.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(() => new Promise((resolve) => echo.close(resolve)));

async function dial(proxy: ByteStreamProxy): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: proxy.port });
  await once(socket, "connect");
  return socket;
}

/** A reset connection ends with an error, which is as good an end as any. */
function closed(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

test("bytes pass in both directions, whole and counted", async () => {
  const proxy = await ByteStreamProxy.open({ host: "127.0.0.1", port, clock, delayMs: 5 });
  const socket = await dial(proxy);
  const sent = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.write(sent);
  while (chunks.reduce((sum, chunk) => sum + chunk.length, 0) < sent.length) await once(socket, "data");
  expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  expect(proxy.traffic).toEqual({ bytesUp: sent.length, bytesDown: sent.length });
  socket.destroy();
  await proxy.close();
});

test("a cut breaks connections and refuses new ones until it is mended", async () => {
  const proxy = await ByteStreamProxy.open({ host: "127.0.0.1", port, clock });
  const first = await dial(proxy);
  proxy.cut();
  await closed(first);
  const refused = connect({ host: "127.0.0.1", port: proxy.port });
  await closed(refused);
  proxy.mend();
  const second = await dial(proxy);
  second.write("x");
  expect(String((await once(second, "data"))[0])).toBe("x");
  second.destroy();
  await proxy.close();
});

test("what is given as a fault is done to the bytes of its direction, until it is mended", async () => {
  const proxy = await ByteStreamProxy.open({
    host: "127.0.0.1",
    port,
    clock,
    up: (delivery) => [delivery, delivery],
    down: ({ bytes }) => [{ bytes: bytes.map((byte) => byte ^ 32), afterMs: 1 }],
  });
  const socket = await dial(proxy);
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk;
  });
  socket.write("a");
  while (heard.length < 2) await once(socket, "data");
  proxy.mend();
  socket.write("b");
  while (heard.length < 3) await once(socket, "data");
  expect(heard).toBe("AAb");
  socket.destroy();
  await proxy.close();
});

test("frozen connections pass nothing, not even their end, while new ones are as ever", async () => {
  const proxy = await ByteStreamProxy.open({ host: "127.0.0.1", port, clock });
  const ends: Socket[] = [];
  const watch = (socket: Socket) => ends.push(socket);
  echo.on("connection", watch);
  const first = await dial(proxy);
  first.write("x");
  await once(first, "data");
  proxy.freeze();
  let isHeard = false;
  first.on("data", () => {
    isHeard = true;
  });
  first.write("y");
  const second = await dial(proxy);
  second.write("z");
  expect(String((await once(second, "data"))[0])).toBe("z");
  first.destroy();
  await closed(first);
  second.write("z");
  await once(second, "data");
  expect(isHeard).toBe(false);
  expect(ends.map(({ closed: isClosed }) => isClosed)).toEqual([false, false]);
  echo.off("connection", watch);
  second.destroy();
  await proxy.close();
});
