import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiRig, closeRigsAfterEach } from "../../api/api-rig.suite.ts";
import { NodeDoor } from "./node-door.ts";

closeRigsAfterEach();
let folder = "";
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-node-door-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  for (const server of servers.splice(0)) server.closeAllConnections();
});

const ID = "3f2a9c1d".padEnd(64, "0");
const ENOUGH = { limit: 10 };

/** What answers in place of a node. */
async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function doorTo(url: string, interrupt = new AbortController().signal): NodeDoor {
  return new NodeDoor(url, undefined, interrupt);
}

function moving(signal = new AbortController().signal) {
  return { onProgress: () => {}, signal };
}

function blobOf(bytes: Uint8Array) {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
}

test.each([
  ["all there, and were never made the blob,", 0],
  ["there, and more that are none of it,", 1],
])("bytes that are %s are made it", async (_, more) => {
  const rig = await ApiRig.open({ hasJobs: true });
  const bytes = randomBytes(100_000);
  const ref = blobOf(bytes);
  const folder = join(rig.folder, "store.db.blobs", ref.sha256.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  // What a node leaves that is killed between the last byte and the name.
  writeFileSync(join(folder, `${ref.sha256}.0badcafe.part`), Buffer.concat([bytes, Buffer.alloc(more)]));
  const file = join(rig.folder, "input.bin");
  writeFileSync(file, bytes);
  await doorTo(rig.server.url).put(file, ref, moving());
  const kept = await rig.get(`/api/v1/blobs/${ref.sha256}`);
  expect(kept.status).toBe(200);
  expect(Buffer.from(await kept.arrayBuffer()).equals(bytes)).toBe(true);
});

test("a file for which a node has no room is refused before it is sent, with how much room there is", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const file = join(rig.folder, "huge.bin");
  writeFileSync(file, "");
  // Of holes: more than any disk has, and none of it on this one.
  const bytes = 2 ** 43;
  truncateSync(file, bytes);
  await expect(doorTo(rig.server.url).put(file, { sha256: ID, bytes }, moving())).rejects.toMatchObject({
    code: "refused",
    message: expect.stringMatching(/the upload is of 8.796.GB, and the node has room for .*: make room there/),
  });
  expect(readdirSync(rig.folder)).not.toContain("store.db.blobs");
});

test("an upload goes on where it was when the node is away for a moment, and is not begun where none ever answered", async () => {
  const bytes = randomBytes(1_000);
  const ref = blobOf(bytes);
  const file = join(folder, "input.bin");
  writeFileSync(file, bytes);
  const asked: string[] = [];
  const url = await answering((request, response) => {
    asked.push(`${request.method} ${request.headers["content-range"] ?? ""}`);
    const kept = asked.length > 3 ? 400 : 0;
    if (asked.length === 2 || asked.length === 3) request.socket.destroy();
    else if (request.method === "HEAD") response.writeHead(404, { "upload-offset": kept }).end();
    else request.resume().on("end", () => response.end("{}"));
  });
  await doorTo(url).put(file, ref, moving());
  expect(asked).toEqual(["HEAD ", "PUT bytes 0-999/1000", "HEAD ", "HEAD ", "PUT bytes 400-999/1000"]);
  let heads = 0;
  const dead = await answering((request) => {
    heads += 1;
    request.socket.destroy();
  });
  await expect(doorTo(dead).put(file, ref, moving())).rejects.toMatchObject({ code: "not-reachable" });
  expect(heads).toBe(1);
});

test("whoever waits for a node that does not answer is let go when told to end, and hears that it may be done", async () => {
  const stop = new AbortController();
  const url = await answering(() => stop.abort());
  await expect(doorTo(url, stop.signal).list(ENOUGH)).rejects.toMatchObject({
    code: "interrupted",
    message: expect.stringContaining(`stopped before ${url} had answered`),
  });
});

test("an answer that breaks off says so, and what is no node's answer says that", async () => {
  const html = await answering((_request, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html>");
  });
  const noNode = { code: "not-reachable", message: expect.stringContaining("answers 200, and is no node") };
  await expect(doorTo(html).list(ENOUGH)).rejects.toMatchObject(noNode);
  await expect(allOf(doorTo(html), { sha256: ID, bytes: 15 })).rejects.toMatchObject(noNode);
  const broken = await answering((_request, response) => {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": 10 });
    response.write("12345", () => response.destroy());
  });
  const cut = { code: "not-reachable", message: expect.stringContaining("broke off: try again") };
  await expect(doorTo(broken).get(ID)).rejects.toMatchObject(cut);
  await expect(allOf(doorTo(broken), { sha256: ID, bytes: 10 })).rejects.toMatchObject(cut);
});

test.each([
  [503, "not-reachable"],
  [408, "not-reachable"],
  [404, "refused"],
  [409, "refused"],
])("what a node says with %i is %s, in its own words and without what a terminal would obey", async (status, code) => {
  const url = await answering((_request, response) => {
    response.writeHead(status).end(JSON.stringify({ code: "x", detail: "the queue is\u001b[2J away\n" }));
  });
  await expect(doorTo(url).get(ID)).rejects.toMatchObject({ code, message: "the queue is away " });
});

async function allOf(door: NodeDoor, ref: { readonly sha256: string; readonly bytes: number }): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of door.read(ref, moving())) parts.push(part);
  return Buffer.concat(parts);
}
