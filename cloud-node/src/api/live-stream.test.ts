import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { SeededRandom, signal } from "../test-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import { applyFleetUpdate, type FleetUpdate } from "./fleet-feed.ts";
import type { LaneUpdate } from "./lane-feed.ts";
import type { ApiEvent } from "./schemas/event-schema.ts";
import type { FleetPage } from "./schemas/fleet-schema.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
const ROWS = Array.from({ length: 100 }, (_, n) => signal(new SeededRandom(n), n));

interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
}

/** Reads server-sent events, as a browser does. */
class Reader {
  readonly messages: Message[] = [];
  readonly #controller = new AbortController();

  static async open(rig: ApiRig, query: string, headers: Record<string, string> = {}): Promise<Reader> {
    const reader = new Reader();
    const { signal: aborted } = reader.#controller;
    const response = await rig.get(`/api/v1/stream?${query}`, { headers, signal: aborted });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    void reader.#read(response).catch(() => undefined);
    return reader;
  }

  of<Data>(event: string): Data[] {
    return this.messages.filter((message) => message.event === event).map(({ data }) => data as Data);
  }

  /** Wait until there are so many messages of a kind. */
  async until(event: string, count: number): Promise<void> {
    await vi.waitFor(() => expect(this.of(event).length).toBeGreaterThanOrEqual(count), LIMIT_MS);
  }

  close(): void {
    this.#controller.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const fields = new Map(part.split("\n").map((line) => [line.split(": ", 1)[0], line.replace(/^\w+: /, "")]));
        const [event, id, data] = [fields.get("event"), fields.get("id"), fields.get("data")];
        if (event !== undefined) this.messages.push({ event, id: id ?? "", data: JSON.parse(data ?? "null") });
      }
    }
  }
}

test("a stream begins whole: heartbeat, table, the device's row and lanes, and what happened lately", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const reader = await Reader.open(rig, "device=rotor");
  await reader.until("lanes", 1);
  await reader.until("event", 1);
  const [fleet] = reader.of<FleetUpdate>("fleet");
  expect(fleet).toMatchObject({ isWhole: true, ids: ["rotor"], summary: { devices: 1 } });
  expect(reader.of<{ id: string }>("device")[0]?.id).toBe("rotor");
  expect(reader.of<LaneUpdate>("lanes")[0]).toMatchObject({ device: "rotor", isWhole: true });
  expect(reader.of<{ nowUs: number }>("heartbeat")[0]?.nowUs).toBeGreaterThan(1.7e15);
  expect(reader.of<ApiEvent>("event").map(({ kind }) => kind)).toContain("born");
  reader.close();
});

test("after the first only what changed of the table comes, and it adds up to the table itself", async () => {
  const rig = await ApiRig.open();
  const device = await rig.device("rotor", ROWS);
  await rig.device("still", ROWS.slice(0, 20));
  const reader = await Reader.open(rig, "sort=name");
  await reader.until("fleet", 1);
  await rig.send(device, ROWS);
  await vi.waitFor(() => {
    const updates = reader.of<FleetUpdate>("fleet");
    const page = updates.reduce<FleetPage | undefined>(applyFleetUpdate, undefined);
    expect(page?.rows.map(({ id, samples }) => [id, samples])).toEqual([
      ["rotor", 200],
      ["still", 20],
    ]);
  }, LIMIT_MS);
  const changes = reader.of<FleetUpdate>("fleet").slice(1);
  const change = changes.flatMap(({ rows }) => rows).find(({ id, samples }) => id === "rotor" && samples === 200);
  expect(change).toBeDefined();
  expect(change).not.toHaveProperty("channels");
  reader.close();
});

test("who comes back gets the events that it missed, once each; ids rise", async () => {
  const rig = await ApiRig.open();
  await rig.device("one", ROWS.slice(0, 20));
  const before = await Reader.open(rig, "table=false");
  await before.until("event", 2);
  const seen = before.of<ApiEvent>("event");
  const last = before.messages.at(-1)?.id ?? "";
  expect(last).toBe(String(seen.at(-1)?.id));
  before.close();
  await rig.device("two", ROWS.slice(0, 20));
  for (const resume of [{ headers: { "last-event-id": last } }, { query: `&since=${last}` }]) {
    const after = await Reader.open(rig, `table=false${resume.query ?? ""}`, resume.headers);
    await after.until("event", 2);
    const missed = after.of<ApiEvent>("event");
    expect(missed.map(({ device }) => device)).toEqual(missed.map(() => "two"));
    const ids = [...seen, ...missed].map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(after.of("fleet")).toEqual([]);
    after.close();
  }
});

test("a reader that takes nothing costs a bounded queue, and gets the newest state when it reads on", async () => {
  const rig = await ApiRig.open();
  const device = await rig.device("rotor", ROWS);
  const socket = connect(rig.server.port, "127.0.0.1");
  await once(socket, "connect");
  socket.pause();
  socket.write("GET /api/v1/stream?device=rotor HTTP/1.1\r\nhost: x\r\n\r\n");
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(1), LIMIT_MS);
  for (let i = 0; i < 20; i++) await rig.send(device, ROWS);
  expect(rig.server.queuedBytes).toBeLessThan(1_000_000);
  const text = await readUntil(socket, `"samples":${21 * ROWS.length}`);
  expect(text).toContain('"isWhole":true');
  socket.destroy();
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(0), LIMIT_MS);
});

test("so many streams and no more; one that ends makes room for the next", async () => {
  const rig = await ApiRig.open({ limits: { streams: 100 } });
  await rig.device("rotor", ROWS);
  const readers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => Reader.open(rig, i % 2 === 0 ? "device=rotor" : "rows=10")),
  );
  for (const path of ["/api/v1/stream", "/api/v1/devices/rotor/history?rate=full&format=csv"]) {
    const refused = await rig.get(path);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await refused.json()).toMatchObject({ code: "too-many-streams", limit: 100 });
  }
  readers[0]?.close();
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(99), LIMIT_MS);
  const next = await Reader.open(rig, "");
  await next.until("fleet", 1);
  for (const reader of [...readers, next]) reader.close();
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(0), LIMIT_MS);
});

async function readUntil(socket: Socket, wanted: string): Promise<string> {
  let text = "";
  socket.setEncoding("utf8");
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes(wanted)) return text;
  }
  throw new RangeError(`ended without ${wanted}`);
}
