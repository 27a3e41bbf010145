import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, readdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
const MANY = 3_000_000;

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function put(rig: ApiRig, id: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return await rig.get(`/api/v1/blobs/${id}`, { method: "PUT", body: new Uint8Array(body), headers });
}

/** Begin an upload, and break it off once the node has kept some of it. */
async function breakOff(rig: ApiRig, id: string, all: Uint8Array, some: number): Promise<void> {
  const upload = request(`${rig.server.url}/api/v1/blobs/${id}`, {
    method: "PUT",
    headers: { "content-length": all.length },
  });
  upload.on("error", () => {});
  upload.write(all.subarray(0, some));
  await vi.waitFor(async () => expect(await kept(rig, id)).toBe(some), LIMIT_MS);
  upload.destroy();
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(0), LIMIT_MS);
}

/** How many bytes the node says that it has. */
async function kept(rig: ApiRig, id: string): Promise<number> {
  const response = await rig.get(`/api/v1/blobs/${id}`, { method: "HEAD" });
  return Number(response.headers.get("upload-offset") ?? Number.NaN);
}

test("bytes are kept, told, given back, and taken twice without harm; none are bytes too", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  for (const bytes of [randomBytes(MANY), new Uint8Array(0)]) {
    const id = sha256(bytes);
    const absent = await rig.get(`/api/v1/blobs/${id}`, { method: "HEAD" });
    expect([absent.status, absent.headers.get("upload-offset")]).toEqual([404, "0"]);
    for (let times = 0; times < 2; times++) {
      expect(await (await put(rig, id, bytes)).json()).toEqual({ sha256: id, bytes: bytes.length });
    }
    const there = await rig.get(`/api/v1/blobs/${id}`, { method: "HEAD" });
    expect([there.status, there.headers.get("content-length")]).toEqual([200, String(bytes.length)]);
    const back = new Uint8Array(await (await rig.get(`/api/v1/blobs/${id}`)).arrayBuffer());
    expect(back.length).toBe(bytes.length);
    expect(sha256(back)).toBe(id);
  }
  expect(rig.server.openStreams).toBe(0);
});

test("an upload that was broken off goes on where it was, and one that begins elsewhere is told where", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const bytes = randomBytes(MANY);
  const id = sha256(bytes);
  await breakOff(rig, id, bytes, 1_000_000);
  expect(await kept(rig, id)).toBe(1_000_000);
  const range = (from: number) => ({ "content-range": `bytes ${from}-${MANY - 1}/${MANY}` });
  const ahead = await put(rig, id, bytes.subarray(2_000_000), range(2_000_000));
  expect(ahead.status).toBe(409);
  expect(ahead.headers.get("upload-offset")).toBe("1000000");
  expect(await ahead.json()).toMatchObject({ code: "wrong-offset", kept: 1_000_000 });
  // What is sent twice is left out.
  expect((await put(rig, id, bytes.subarray(900_000), range(900_000))).status).toBe(200);
  expect(await kept(rig, id)).toBe(MANY);
  expect(sha256(new Uint8Array(await (await rig.get(`/api/v1/blobs/${id}`)).arrayBuffer()))).toBe(id);
});

test("bytes that are not what they are called, too few, too many or none are refused, and nothing of them is kept", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const bytes = randomBytes(1_000);
  const id = sha256(bytes);
  const wrong = bytes.map((byte, i) => (i === 999 ? byte ^ 1 : byte));
  const all = "bytes 0-999/1000";
  const cases: readonly (readonly [Uint8Array, Record<string, string>, number, string])[] = [
    [wrong, {}, 422, "blob-refused"],
    [bytes.subarray(1), {}, 422, "blob-refused"],
    [randomBytes(1_001), { "content-range": all }, 422, "blob-refused"],
    [bytes.subarray(0, 500), { "content-range": all }, 422, "blob-refused"],
    [bytes, { "content-range": "bytes 0-999" }, 400, "bad-parameter"],
    [bytes, { "content-range": "bytes 0-999/*" }, 400, "bad-parameter"],
    [bytes, { "content-range": "bytes 0-998/1000" }, 400, "bad-parameter"],
    [bytes, { "content-range": "bytes 1000-999/1000" }, 400, "bad-parameter"],
    [bytes, { "content-range": "bytes 5-999999999999999999/1000" }, 400, "bad-parameter"],
    [bytes, { "content-range": `bytes 0-${Number.MAX_SAFE_INTEGER - 1}/${Number.MAX_SAFE_INTEGER}` }, 507, "disk-full"],
  ];
  for (const [body, headers, status, code] of cases) {
    const response = await put(rig, id, body, headers);
    expect(await response.json(), JSON.stringify(headers)).toMatchObject({ status, code });
    expect(await kept(rig, id)).toBe(0);
  }
  expect((await rig.get("/api/v1/blobs/nothing")).status).toBe(400);
  expect((await put(rig, "nothing", bytes)).status).toBe(400);
  expect((await rig.get(`/api/v1/blobs/${id}`, { method: "POST" })).headers.get("allow")).toBe(
    "GET, HEAD, OPTIONS, PUT",
  );
});

test("bytes that were changed on the disk are never given whole", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const bytes = randomBytes(MANY);
  const id = sha256(bytes);
  await put(rig, id, bytes);
  const file = join(rig.folder, "store.db.blobs", id.slice(0, 2), id);
  expect(existsSync(file)).toBe(true);
  await writeFile(file, bytes.subarray(0, MANY - 1));
  await appendFile(file, new Uint8Array([(bytes[MANY - 1] ?? 0) ^ 1]));
  const response = await rig.get(`/api/v1/blobs/${id}`);
  await expect(response.arrayBuffer()).rejects.toThrow();
  expect(rig.server.openStreams).toBe(0);
});

test("an upload may take longer than other requests, once it was let in; what a stranger sends may not", async () => {
  const limits = { headMs: 600, requestMs: 600, lookMs: 50 };
  const rig = await ApiRig.open({ hasJobs: true, limits });
  const bytes = randomBytes(40);
  const secret = await rig.token("jobs", "jobs");
  const upload = (headers: Record<string, string>) =>
    new Promise<number | string>((resolve) => {
      const sent = request(`${rig.server.url}/api/v1/blobs/${sha256(bytes)}`, {
        method: "PUT",
        headers: { "content-length": bytes.length, ...headers },
      });
      let status = 0;
      sent.on("response", (response) => {
        status = response.statusCode ?? 0;
        response.resume();
        if (status === 200) resolve(status);
      });
      sent.on("error", () => {});
      let at = 0;
      sent.on("close", () => resolve(`${at < bytes.length ? "cut" : "not cut"} after ${status}`));
      const timer = setInterval(() => {
        if (at === bytes.length || sent.destroyed) {
          clearInterval(timer);
          sent.end();
        } else sent.write(bytes.subarray(at, ++at));
      }, 40);
    });
  const [friend, stranger] = await Promise.all([upload({ authorization: `Bearer ${secret}` }), upload({})]);
  expect(friend).toBe(200);
  expect(stranger).toBe("cut after 401");
  expect(await readdir(join(rig.folder, "store.db.blobs"))).toEqual([sha256(bytes).slice(0, 2)]);
});
