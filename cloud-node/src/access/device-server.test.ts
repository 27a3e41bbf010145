import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Counters } from "../counters.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { DEFAULT_CONNECTION_LIMITS } from "./connection-limits.ts";
import { type DeviceConnection, DeviceServer } from "./device-server.ts";
import { makeCertificate, writeCertificate } from "./made-certificate.suite.ts";
import { readTlsFiles } from "./tls-files.ts";

const HOST = "127.0.0.1";
const LIMIT_MS = 1_000;

let folder = "";
let server: DeviceServer | undefined;
let client: Socket | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-door-"));
});
afterEach(async () => {
  client?.destroy();
  server?.cut();
  await server?.close();
  rmSync(folder, { recursive: true });
});

test("over TLS, time in which the node does not read is not counted against a connection, and all other time is", async () => {
  const clock = new ManualClock();
  const counters = new Counters();
  const { promise, resolve } = Promise.withResolvers<DeviceConnection>();
  const certificate = makeCertificate("node");
  server = await DeviceServer.open(
    {
      port: 0,
      host: HOST,
      tls: readTlsFiles(writeCertificate(folder, certificate)),
      limits: { ...DEFAULT_CONNECTION_LIMITS, firstWordMs: LIMIT_MS },
      clock,
      counters,
    },
    resolve,
  );
  client = connect({ host: HOST, port: server.port, ca: certificate.certPem });
  client.on("error", () => {});
  const { socket } = await promise;
  socket.pause();
  clock.advance(10 * LIMIT_MS);
  expect(counters.all()).toEqual({});
  socket.resume();
  clock.advance(1.25 * LIMIT_MS);
  await once(socket, "close");
  expect(counters.all()).toEqual({ "connections.too-slow": 1 });
});
