import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import type { RowsAnswer } from "./schemas/history-schema.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
/** As text far more than sockets and queues hold together. */
const MANY_ROWS = Array.from({ length: 200_000 }, (_, n) => [(Math.floor(n / 500) % 7) + 0.1234567, -1.7654321]);
const STALLED = 12;
const PATH = "/api/v1/devices/rotor/history?rate=full&format=csv";

async function openBusy(): Promise<ApiRig> {
  const rig = await ApiRig.open();
  await rig.device("rotor", MANY_ROWS, { frameSamples: 1_000 });
  return rig;
}

/** Ask for the whole history, and read nothing of it. */
async function stalledReader(rig: ApiRig): Promise<Socket> {
  const socket = connect(rig.server.port, "127.0.0.1");
  await once(socket, "connect");
  socket.pause();
  socket.on("error", () => undefined);
  socket.write(`GET ${PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  return socket;
}

test("long answers wait for slow readers, bounded, and frames are taken in meanwhile", async () => {
  const rig = await openBusy();
  const sockets = await Promise.all(Array.from({ length: STALLED }, () => stalledReader(rig)));
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(STALLED), LIMIT_MS);
  await rig.device("other", MANY_ROWS.slice(0, 100));
  expect(rig.server.queuedBytes / STALLED).toBeLessThan(150_000);
  const whole = rig.get(PATH).then((response) => response.text());
  expect((await whole).trimEnd().split("\n")).toHaveLength(MANY_ROWS.length + 1);
  expect(rig.server.openStreams).toBe(STALLED);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(0), LIMIT_MS);
}, 60_000);

test("a hundred at once get all of it", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", MANY_ROWS.slice(0, 2_000));
  const answers = Array.from({ length: 100 }, async () => (await rig.get(PATH)).text());
  const lines = (await Promise.all(answers)).map((text) => text.trimEnd().split("\n").length);
  expect(lines).toEqual(lines.map(() => 2_001));
  expect([rig.server.openStreams, rig.server.queuedBytes]).toEqual([0, 0]);
}, 60_000);

test("a client that goes away in mid-answer leaves nothing behind", async () => {
  const rig = await openBusy();
  for (let i = 0; i < 8; i++) {
    const controller = new AbortController();
    const { body } = await rig.get(PATH, { signal: controller.signal });
    await body?.getReader().read();
    controller.abort();
  }
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(0), LIMIT_MS);
  expect(rig.server.queuedBytes).toBe(0);
}, 60_000);

test("a node that ends cuts its long answers off, so that nobody takes a part for the whole", async () => {
  const rig = await openBusy();
  const response = await rig.get(PATH);
  const reader = response.body?.getReader();
  await reader?.read();
  await rig.server.close();
  const rest = async () => {
    while ((await reader?.read())?.done === false);
  };
  await expect(rest()).rejects.toThrow();
}, 60_000);

test("one JSON answer has a limit, and says what to do beyond it", async () => {
  const rig = await openBusy();
  const refused = await rig.get("/api/v1/devices/rotor/history?rate=full&from=0");
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ code: "range-too-long", limit: 100_000 });
  const buckets = await rig.json<{ count: number }>("/devices/rotor/history?from=0");
  expect(buckets.count).toBeGreaterThan(250);
  const { span } = await rig.json<RowsAnswer>("/devices/rotor/history?buckets=1");
  const short = await rig.json<RowsAnswer>(`/devices/rotor/history?rate=full&from=${(span?.toUs ?? 0) - 1_000_000}`);
  expect(short.timesUs).toHaveLength(100);
}, 60_000);
