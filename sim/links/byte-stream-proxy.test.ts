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
