import { createServer, type Server } from "node:net";
import { MAX_FRAME_BYTES } from "@lockstep/protocol";
import { Aedes, type AedesOptions } from "aedes";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { listening, portOf } from "../server-port.ts";
import { checkBroker } from "./acceptance.ts";

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Another broker than ours, with whatever is wrong with it. */
async function broker(options: AedesOptions): Promise<string> {
  const aedes = await Aedes.createBroker(options);
  const server: Server = createServer((socket) => {
    aedes.handle(socket);
  });
  await listening(server, 0, "127.0.0.1");
  closers.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await closed;
  });
  return `mqtt://127.0.0.1:${portOf(server)}`;
}

const check = (url: string, limitMs = 5_000) =>
  checkBroker({ url, group: "lockstep", probe: "probe-1", clock: systemClock(), limitMs });

test("a broker that does what MQTT 3.1.1 says is accepted, and nothing stays retained in it", async () => {
  const url = await broker({});
  await check(url);
  await check(url);
});

test("a broker that drops the retain flag is refused by that name", async () => {
  const url = await broker({
    authorizePublish: (_client, packet, done) => {
      packet.retain = false;
      done();
    },
  });
  await expect(check(url, 500)).rejects.toMatchObject({ name: "BrokerError", code: "no-retained" });
});

test("a broker that refuses the subscription is refused by that name", async () => {
  const url = await broker({ authorizeSubscribe: (_client, _subscription, done) => done(null, null) });
  await expect(check(url)).rejects.toMatchObject({ code: "no-qos-1" });
});

test("a broker that does not deliver is refused by that name", async () => {
  const url = await broker({ authorizeForward: () => null });
  await expect(check(url, 500)).rejects.toMatchObject({ code: "not-delivered" });
});

test("a broker that does not carry the longest frame is refused by that name", async () => {
  const url = await broker({
    authorizePublish: (_client, { payload }, done) => done(payload.length > 1_000 ? new RangeError("too large") : null),
  });
  await expect(check(url, 2_000)).rejects.toMatchObject({
    code: "packet-too-small",
    facts: { bytes: MAX_FRAME_BYTES },
  });
});

test("a broker that is not there is unreachable", async () => {
  const server = createServer();
  await listening(server, 0, "127.0.0.1");
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  await expect(check(`mqtt://127.0.0.1:${port}`, 1_000)).rejects.toMatchObject({ code: "unreachable" });
});
