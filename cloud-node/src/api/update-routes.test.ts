import { request } from "node:http";
import { systemClock } from "@lockstep/edge-sdk";
import { Value } from "typebox/value";
import { afterEach, expect, test, vi } from "vitest";
import { TokenBook } from "../access/token-book.ts";
import { LIMIT_MS } from "../flash/device-streams.suite.ts";
import { closeRigs, FlashRig, otherModule, packageOf } from "../flash/flash-rig.suite.ts";
import { MAX_PACKAGE_BYTES } from "../flash/update-package.ts";
import { SILENT_LOGGER } from "../logger.ts";
import type { NodeInternals } from "../node-options.ts";
import type { Store } from "../store/store.ts";
import { StoreError, type StoreErrorCode } from "../store/store-error.ts";
import { HttpServer } from "./http-server.ts";
import type { ApiEvent } from "./schemas/event-schema.ts";
import type { FleetPage } from "./schemas/fleet-schema.ts";
import {
  DeviceUpdateSchema,
  UpdateCheckSchema,
  UpdateSchema,
  type UpdatesAnswer,
  UpdatesSchema,
} from "./schemas/update-schema.ts";

const TEST_LIMIT_MS = 60_000;
let server: HttpServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
  await closeRigs();
});

async function open(...devices: string[]): Promise<FlashRig> {
  return await openOn({}, ...devices);
}

async function openOn(internals: NodeInternals, ...devices: string[]): Promise<FlashRig> {
  const rig = await FlashRig.open("loopback", internals);
  for (const device of devices) await rig.device(device);
  const { node } = rig;
  server = await HttpServer.open({ node, clock: systemClock(), logger: SILENT_LOGGER, host: "127.0.0.1", port: 0 });
  return rig;
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`http://127.0.0.1:${server?.port}/api/v1${path}`, init);
}

async function send(path: string, body: Uint8Array, type = "application/octet-stream"): Promise<Response> {
  return await ask(path, { method: "POST", body: new Uint8Array(body), headers: { "content-type": type } });
}

test(
  "a package is checked, sent, told as it goes on, logged and counted, each answer as its schema says",
  async () => {
    const rig = await open("pump");
    const bytes = packageOf(rig.key, otherModule(1), 0x01020000);
    const check = await (await send("/updates/check?to=pump", bytes)).json();
    expect([...Value.Errors(UpdateCheckSchema, check)]).toEqual([]);
    expect(check).toMatchObject({ version: "1.2.0", isFit: true, devices: [{ device: "pump", isFit: true }] });
    expect(await (await ask("/updates")).json()).toEqual({ updates: [], next: null });
    const begun = (await (await send("/updates?to=pump", bytes)).json()) as { id: string };
    expect([...Value.Errors(UpdateSchema, begun)]).toEqual([]);
    const stream = await (await ask(`/updates/${begun.id}/stream`)).text();
    const told = [...stream.matchAll(/^event: update\nid: \d+\ndata: (.*)$/gm)].map(([, data = ""]) =>
      JSON.parse(data),
    );
    expect(told.at(-1)).toMatchObject({ id: begun.id, state: "done", devices: [{ step: "done", share: 1 }] });
    expect(await (await ask(`/updates/${begun.id}`)).json()).toEqual(told.at(-1));
    const list = await (await ask("/updates")).json();
    expect([...Value.Errors(UpdatesSchema, list)]).toEqual([]);
    const device = await (await ask("/devices/pump/update")).json();
    expect([...Value.Errors(DeviceUpdateSchema, device)]).toEqual([]);
    expect(device).toMatchObject({
      isAnswering: true,
      state: { version: "1.2.0", verdict: null },
      update: { id: begun.id },
    });
    const { events } = (await (await ask("/events?device=pump")).json()) as { events: ApiEvent[] };
    const steps = events.filter(({ kind }) => kind === "update");
    expect(steps.map(({ step }) => step)).toEqual(["sending", "switching", "done"]);
    expect(steps.at(-1)?.text).toBe("update to 1.2.0: done");
    const metrics = await (await fetch(`http://127.0.0.1:${server?.port}/metrics`)).text();
    expect(metrics).toContain('lockstep_updates_total{outcome="done"} 1\n');
    expect(metrics).toContain("lockstep_updates_running 0\n");
  },
  TEST_LIMIT_MS,
);

test(
  "an update that went back is an alert of its device until another one is done",
  async () => {
    const rig = await open("pump");
    if (rig.devices[0] !== undefined) rig.devices[0].fault = { trips: "watchdog" };
    const alerts = async () => {
      const [row] = ((await (await ask("/devices")).json()) as FleetPage).rows;
      return row?.alerts.flatMap(({ kind, text }) => (kind === "update-failed" ? [text] : []));
    };
    const bytes = packageOf(rig.key, otherModule(1), 1);
    const { id } = (await (await send("/updates?to=pump", bytes)).json()) as { id: string };
    expect((await rig.over(id)).devices[0]?.step).toBe("reverted");
    const text = "update failed: the new one hung, so it went back to the old one";
    await vi.waitFor(async () => expect(await alerts()).toEqual([text]), LIMIT_MS);
    if (rig.devices[0] !== undefined) rig.devices[0].fault = {};
    await send("/updates?to=pump", bytes);
    await vi.waitFor(async () => expect(await alerts()).toEqual([]), LIMIT_MS);
  },
  TEST_LIMIT_MS,
);

test(
  "what cannot be begun, called off or even read is a problem that says why, and nothing of it is kept",
  async () => {
    const rig = await open("pump");
    const good = packageOf(rig.key, otherModule(1), 1);
    const other = packageOf(rig.key, otherModule(1), 1, { target: "board" });
    const broken = good.map((byte, at) => (at === good.length - 1 ? byte ^ 1 : byte));
    const none = new Uint8Array();
    const huge = new Uint8Array(MAX_PACKAGE_BYTES + 1);
    const posts: readonly (readonly [string, Uint8Array, string | undefined, number, string, string])[] = [
      ["/updates?to=nobody", good, undefined, 409, "update-refused", "nobody: no such device"],
      ["/updates?to=pump", other, undefined, 409, "update-refused", "the package is for board"],
      ["/updates?to=rotor-*", good, undefined, 409, "update-refused", "no device fits rotor-*"],
      ["/updates?to=rotor-*&skip=true", good, undefined, 409, "update-refused", "rotor-*"],
      ["/updates?to=pump", broken, undefined, 422, "package-refused", "the package's body is not the one"],
      ["/updates?to=pump", none, undefined, 422, "package-refused", "application/octet-stream"],
      ["/updates?to=pump", good.slice(0, 9), undefined, 422, "package-refused", "no package begins at byte 0"],
      ["/updates?to=pump", good, "application/json", 422, "package-refused", "application/octet-stream"],
      ["/updates?to=pump", good, "text/plain", 422, "package-refused", "text/plain"],
      ["/updates?to=pump", huge, undefined, 413, "body-too-large", String(MAX_PACKAGE_BYTES)],
      ["/updates", good, undefined, 400, "bad-parameter", "to"],
      ["/updates?to=a/b", good, undefined, 400, "bad-parameter", "to=a/b"],
      ["/updates?to=pump&stages=50", good, undefined, 400, "bad-parameter", "ascend to 100"],
      ["/updates?to=pump&stages=all", good, undefined, 400, "bad-parameter", "stages=all"],
      ["/updates?to=pump&maxFailures=-1", good, undefined, 400, "bad-parameter", "maxFailures=-1"],
      ["/updates?to=pump&when=now", good, undefined, 400, "bad-parameter", "when"],
      ["/updates/check?to=pump", broken, undefined, 422, "package-refused", "body"],
      ["/updates/0123456789abcdef", good, undefined, 405, "method-not-allowed", ""],
    ];
    for (const [path, body, type, status, code, hint] of posts) {
      const response = await send(path, body, type);
      const problem = (await response.json()) as Record<string, string>;
      expect([path, response.status, problem.code], path).toEqual([path, status, code]);
      expect(problem.detail, path).toContain(hint);
    }
    const others: readonly (readonly [string, string, number, string])[] = [
      ["GET", "/updates/0123456789abcdef", 404, "unknown-update"],
      ["GET", "/updates/0123456789abcdef/stream", 404, "unknown-update"],
      ["GET", "/updates/..%2f..%2fetc", 400, "bad-parameter"],
      ["DELETE", "/updates/0123456789abcdef", 404, "unknown-update"],
      ["DELETE", "/updates/x", 400, "bad-parameter"],
      ["GET", "/devices/nobody/update", 404, "unknown-device"],
    ];
    for (const [method, path, status, code] of others) {
      const response = await ask(path, { method });
      expect([path, response.status, ((await response.json()) as { code: string }).code]).toEqual([path, status, code]);
    }
    expect(rig.node.updates.list()).toEqual([]);
    expect(rig.devices[0]?.heard.filter((op) => op !== "ask")).toEqual([]);
    const { id } = (await (await send("/updates?to=pump", good)).json()) as { id: string };
    await rig.over(id);
    const over = await ask(`/updates/${id}`, { method: "DELETE" });
    expect([over.status, ((await over.json()) as { code: string }).code]).toEqual([409, "update-over"]);
  },
  TEST_LIMIT_MS,
);

test(
  "no page in a browser begins an update or calls one off, whatever name it was loaded under",
  async () => {
    const rig = await open("pump");
    const good = new Uint8Array(packageOf(rig.key, otherModule(1), 1));
    const type = { "content-type": "application/octet-stream" };
    for (const origin of ["http://elsewhere.example", `http://localhost:${server?.port}`, "null"]) {
      for (const [method, path, body] of [
        ["POST", "/updates/check?to=pump", good],
        ["POST", "/updates?to=pump", good],
        ["DELETE", "/updates/0123456789abcdef", null],
      ] as const) {
        const response = await ask(path, { method, body, headers: { ...(body === null ? {} : type), origin } });
        const { code } = (await response.json()) as { code: string };
        expect([origin, method, path, response.status, code]).toEqual([origin, method, path, 403, "from-a-page"]);
      }
      expect((await ask("/updates", { headers: { origin } })).status).toBe(200);
    }
    // A page can send bytes without a word on what they are, and is not asked where it comes from then.
    const nameless = await ask("/updates?to=pump", { method: "POST", body: new Blob([good]) });
    expect([nameless.status, ((await nameless.json()) as { code: string }).code]).toEqual([422, "package-refused"]);
  },
  TEST_LIMIT_MS,
);

test(
  "what is not answered at an address names all that is, as the description of the API has it",
  async () => {
    await open();
    const { paths } = (await (await ask("/openapi.json")).json()) as { paths: Record<string, object> };
    for (const [path, methods] of Object.entries(paths)) {
      const place = path
        .replace("/api/v1", "")
        .replace("{update}", "0123456789abcdef")
        .replace(/\{\w+\}/, "pump");
      if (!path.startsWith("/api/v1")) continue;
      const named = Object.keys(methods).map((method) => method.toUpperCase());
      const expected = [...named, "OPTIONS", ...(named.includes("GET") ? ["HEAD"] : [])];
      for (const [method, status] of [
        ["PATCH", 405],
        ["OPTIONS", 204],
      ] as const) {
        const response = await ask(place, { method });
        const allow = response.headers.get("allow")?.split(", ");
        expect([method, path, response.status, allow?.sort()]).toEqual([
          method,
          path,
          status,
          [...new Set(expected)].sort(),
        ]);
      }
    }
    expect(Object.keys(paths)).toContain("/api/v1/updates/{update}");
    expect((await ask("/updates?to=x", { method: "PUT" })).headers.get("allow")).toContain("POST");
  },
  TEST_LIMIT_MS,
);

test(
  "updates are told a page at a time, counted, and name their devices one by one alone",
  async () => {
    const rig = await open("pump", "fan");
    const ids: string[] = [];
    for (const version of [1, 2, 3]) {
      const { id } = await rig.start(packageOf(rig.key, otherModule(version), version), ["pump", "fan"]);
      ids.unshift(id);
      await rig.over(id);
    }
    const page = async (query: string) => {
      const answer = await (await ask(`/updates${query}`)).json();
      expect([...Value.Errors(UpdatesSchema, answer)]).toEqual([]);
      return answer as UpdatesAnswer;
    };
    const all = await page("");
    expect([all.updates.map(({ id }) => id), all.next]).toEqual([ids, null]);
    expect(all.updates[0]).toMatchObject({ counts: { all: 2, running: 0, done: 2, failed: 0 } });
    expect(all.updates[0]).not.toHaveProperty("devices");
    const first = await page("?limit=2");
    expect(first).toEqual({ updates: all.updates.slice(0, 2), next: ids[1] });
    expect(await page(`?limit=2&cursor=${first.next}`)).toEqual({ updates: all.updates.slice(2), next: null });
    expect(await page(`?limit=1&cursor=${ids[1]}`)).toEqual({ updates: all.updates.slice(2), next: null });
    expect(await page(`?cursor=${ids[2]}`)).toEqual({ updates: [], next: null });
    const forgotten = await ask("/updates?cursor=0123456789abcdef");
    const problem = (await forgotten.json()) as { code: string; detail: string };
    expect([forgotten.status, problem.code]).toEqual([400, "bad-parameter"]);
    expect(problem.detail).toContain("begin again without a cursor");
    for (const query of ["?limit=0", "?limit=1001", "?cursor=x"])
      expect((await ask(`/updates${query}`)).status).toBe(400);
  },
  TEST_LIMIT_MS,
);

test.for(["corrupt", "disk-full"] as const)(
  "an update whose module the store cannot take, as %s, is refused, and none of it begins",
  { timeout: TEST_LIMIT_MS },
  async (code) => {
    const rig = await openOn({ store: (behind) => withoutModules(behind, code) }, "pump");
    const bytes = packageOf(rig.key, otherModule(1), 1);
    for (let times = 0; times < 2; times++) {
      const refused = await send("/updates?to=pump", bytes);
      const problem = (await refused.json()) as { code: string };
      expect([refused.status, problem.code]).toEqual([500, "store-failed"]);
    }
    expect(rig.node.updates.list()).toEqual([]);
    expect(rig.devices[0]?.heard.filter((op) => op !== "ask")).toEqual([]);
  },
);

/** A store that takes everything but modules. */
function withoutModules(behind: Store, code: StoreErrorCode): Store {
  return {
    reader: behind.reader,
    commit: (batch) => {
      if (!batch.records.some(({ table }) => table === "module")) return behind.commit(batch);
      return Promise.reject(new StoreError(code, { file: "store.db", detail: "no module is taken" }));
    },
    retain: (rules) => behind.retain(rules),
    close: () => behind.close(),
  };
}

test(
  "a token that is revoked while its package is on the way begins nothing",
  async () => {
    const rig = await open("pump");
    const book = new TokenBook(rig.node.storeFile);
    const { secret } = await book.add({ name: "ops", roles: ["flash"] }, Date.now());
    const authorization = `Bearer ${secret}`;
    const status = async () => (await ask("/updates", { headers: { authorization } })).status;
    await vi.waitFor(async () => expect(await (await ask("/session")).status).toBe(401), LIMIT_MS);
    expect(await status()).toBe(200);
    const bytes = packageOf(rig.key, otherModule(1), 1);
    const headers = { authorization, "content-type": "application/octet-stream", "content-length": bytes.length };
    const url = `http://127.0.0.1:${server?.port}/api/v1/updates?to=pump`;
    const begun = request(url, { method: "POST", headers });
    const answered = new Promise<number>((resolve, reject) => {
      begun.on("error", reject).on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
    });
    begun.write(Buffer.from(bytes).subarray(0, 10));
    // It was let in before the token is revoked: whoever asks behind it was answered.
    await vi.waitFor(async () => expect(await status()).toBe(200), LIMIT_MS);
    await book.revoke("ops", Date.now());
    await vi.waitFor(async () => expect(await status()).not.toBe(200), LIMIT_MS);
    begun.end(Buffer.from(bytes).subarray(10));
    expect(await answered).toBe(401);
    expect(rig.node.updates.list()).toEqual([]);
  },
  TEST_LIMIT_MS,
);
