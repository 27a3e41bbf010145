import { once } from "node:events";
import { connect } from "node:net";
import { expect, test, vi } from "vitest";
import { HistoryError } from "../history/history-error.ts";
import type { Logger } from "../logger.ts";
import { SeededRandom, signal } from "../test-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import type { BucketsAnswer, RowsAnswer } from "./schemas/history-schema.ts";

closeRigsAfterEach();

const ROWS = Array.from({ length: 100 }, (_, n) => signal(new SeededRandom(n), n));
const HISTORY = "/api/v1/devices/rotor/history";

/** Write bytes on a socket, and give back what comes until the other end closes it. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(text);
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    answer += chunk;
  });
  await once(socket, "close");
  return answer;
}

test("whatever is wrong with a request is said as a problem: what, which limit, what to do", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const cases: readonly (readonly [string, number, string, string])[] = [
    ["/api/v1/devices/nobody", 404, "unknown-device", '"nobody"'],
    ["/api/v1/devices/nobody/twin", 404, "unknown-device", "/api/v1/devices"],
    ["/api/v1/devices/nobody/history", 404, "unknown-device", '"nobody"'],
    ["/api/v1/devices/nobody/gaps", 404, "unknown-device", '"nobody"'],
    ["/api/v1/devices/nobody/traffic", 404, "unknown-device", '"nobody"'],
    ["/api/v1/events?device=nobody", 404, "unknown-device", '"nobody"'],
    ["/api/v1/stream?device=nobody", 404, "unknown-device", '"nobody"'],
    [`/api/v1/devices/${"n".repeat(65)}`, 400, "bad-parameter", "64"],
    [`${HISTORY}?from=5&to=2`, 400, "range-reversed", "swap"],
    [`${HISTORY}?from=2030-01-01&to=2029-12-31`, 400, "range-reversed", "swap"],
    [`${HISTORY}?from=NaN`, 400, "bad-parameter", "from=NaN"],
    [`${HISTORY}?from=-5`, 400, "bad-parameter", "from=-5"],
    [`${HISTORY}?from=1e9`, 400, "bad-parameter", "from=1e9"],
    [`${HISTORY}?to=Infinity`, 400, "bad-parameter", "to=Infinity"],
    [`${HISTORY}?to=99999999999999999999`, 400, "bad-parameter", "9007199254740991"],
    [`${HISTORY}?to=9007199254740992`, 400, "bad-parameter", "9007199254740991"],
    [`${HISTORY}?from=2026-02-30`, 400, "bad-parameter", "2026-02-30"],
    [`${HISTORY}?from=2026-05-01T25:00:00Z`, 400, "bad-parameter", "2026-05-01T12:00:00Z"],
    [`${HISTORY}?from=`, 400, "bad-parameter", "from="],
    [`${HISTORY}?from=${"1".repeat(65)}`, 400, "bad-parameter", "64"],
    [`${HISTORY}?buckets=0`, 400, "bad-parameter", "buckets=0"],
    [`${HISTORY}?buckets=4001`, 400, "bad-parameter", "4000"],
    [`${HISTORY}?buckets=1.5`, 400, "bad-parameter", "integer"],
    [`${HISTORY}?buckets=10&rate=full`, 400, "bad-parameter", "leave out"],
    [`${HISTORY}?rate=half`, 400, "bad-parameter", "full"],
    [`${HISTORY}?format=xml`, 400, "bad-parameter", "csv"],
    [`${HISTORY}?channels=z`, 400, "unknown-channel", "x, y"],
    [`${HISTORY}?channels=x,`, 400, "unknown-channel", "x, y"],
    [`${HISTORY}?buckts=10`, 400, "bad-parameter", "buckts"],
    ["/api/v1/devices?rows=501", 400, "bad-parameter", "500"],
    ["/api/v1/devices?rows=1e400", 400, "bad-parameter", "rows"],
    ["/api/v1/events?since=1e400", 400, "bad-parameter", "since"],
    [`${HISTORY}?buckets=1e400`, 400, "bad-parameter", "buckets"],
    ["/api/v1/devices?page=-1", 400, "bad-parameter", "page=-1"],
    ["/api/v1/devices?sort=colour", 400, "bad-parameter", "severity"],
    ["/api/v1/devices?state=live,,", 400, "bad-parameter", "state"],
    ["/api/v1/events?limit=0", 400, "bad-parameter", "limit=0"],
    ["/api/v1/events?since=-1", 400, "bad-parameter", "since=-1"],
    ["/api/v1/devices/%zz", 400, "bad-url", "percent"],
    ["/api/v1/devices/%E0%A4%A", 400, "bad-url", "percent"],
    ["/api/v1/nothing", 404, "not-found", "openapi.json"],
    ["/api/v2/devices", 404, "not-found", "openapi.json"],
    ["/assets/../../../package.json", 404, "not-found", "package.json"],
    [`/api/v1/devices?search=${"a".repeat(5_000)}`, 414, "url-too-long", "4096"],
  ];
  for (const [path, status, code, hint] of cases) {
    const response = await rig.get(path);
    const problem = (await response.json()) as Record<string, unknown>;
    expect([path, response.status, problem.code, problem.status], path).toEqual([path, status, code, status]);
    expect(response.headers.get("content-type"), path).toMatch(/^application\/problem\+json/);
    expect(problem.detail, path).toContain(hint);
    expect(problem.instance, path).toBe(`urn:uuid:${response.headers.get("x-request-id")}`);
  }
});

test("a range with nothing in it is an empty answer that says what there is", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  for (const range of [
    "from=2200-01-01&to=2200-01-02",
    "from=2200-01-01",
    "from=1971-01-01&to=1971-01-02",
    "from=7&to=7",
  ]) {
    const buckets = await rig.json<BucketsAnswer>(`/devices/rotor/history?${range}`);
    expect(buckets, range).toMatchObject({ count: 0, widthUs: null, runs: [] });
    expect(buckets.span?.toUs).toBeGreaterThan(1.7e15);
    const rows = await rig.json<RowsAnswer>(`/devices/rotor/history?rate=full&${range}`);
    expect(rows.timesUs, range).toEqual([]);
    const csv = await (await rig.get(`${HISTORY}?rate=full&format=csv&${range}`)).text();
    expect(csv, range).toBe("time_us,epoch,x,y,saturated,damaged_to_us\n");
  }
});

test("the longest range there can be costs no more than what is stored", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const answer = await rig.json<BucketsAnswer>(
    `/devices/rotor/history?from=0&to=${Number.MAX_SAFE_INTEGER}&buckets=4000`,
  );
  expect(answer.count).toBeLessThanOrEqual(ROWS.length + 1);
  const found = (answer.channels[0]?.first ?? []).filter((value) => value !== null);
  expect(found).toHaveLength(ROWS.length);
});

test("nothing but reads is answered, at every path", async () => {
  const rig = await ApiRig.open();
  for (const path of ["/", "/api/v1/devices", "/api/v1/stream", "/metrics", "/nothing"]) {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const response = await rig.get(path, { method, ...(method === "POST" ? { body: "x=1" } : {}) });
      expect([method, path, response.status]).toEqual([method, path, 405]);
      expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
    }
    const options = await rig.get(path, { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    expect(options.headers.get("access-control-allow-origin")).toBeNull();
  }
});

test("a body that cannot be read is no mistake of the server", async () => {
  const rig = await ApiRig.open();
  for (const [type, body] of [
    ["application/json", "{bad"],
    ["application/json", ""],
    ["application/json", '{"__proto__":1}'],
    ["text/plain", "x"],
    ["application/xml", "<x/>"],
  ] as const) {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const headers = { "content-type": type };
      const response = await rig.get("/api/v1/devices", { method, headers, body });
      expect([method, type, body, response.status]).toEqual([method, type, body, 405]);
    }
  }
});

test("HEAD tells what GET would, without a body", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  for (const path of ["/api/v1/devices", `${HISTORY}?rate=full&format=csv`, "/api/v1/stream", "/healthz"]) {
    const [head, controller] = [await rig.get(path, { method: "HEAD" }), new AbortController()];
    const get = await rig.get(path, { signal: controller.signal });
    expect([head.status, head.headers.get("content-type")], path).toEqual([200, get.headers.get("content-type")]);
    expect(await head.text()).toBe("");
    controller.abort();
  }
});

test("every answer forbids other origins, frames and guessed types", async () => {
  const rig = await ApiRig.open();
  const controller = new AbortController();
  for (const path of ["/", "/api/v1/devices", "/api/v1/nothing", "/api/v1/devices/%zz", "/metrics", "/api/v1/stream"]) {
    const { headers } = await rig.get(path, { signal: controller.signal });
    expect(headers.get("content-security-policy"), path).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect([headers.get("cross-origin-resource-policy"), headers.get("x-frame-options")]).toEqual([
      "same-origin",
      "DENY",
    ]);
    expect(headers.get("strict-transport-security"), path).toBeNull();
    expect([headers.get("x-content-type-options"), headers.get("referrer-policy")]).toEqual(["nosniff", "no-referrer"]);
  }
  controller.abort();
});

test("what is no HTTP, and a head without end, are refused and the connection ends", async () => {
  const rig = await ApiRig.open();
  expect(await exchange(rig.server.port, "\x00\x01\x02 nonsense\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 .*bad-url/s);
  const giant = `GET /?${"a".repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`;
  expect(await exchange(rig.server.port, giant)).toMatch(/^HTTP\/1\.1 431 .*head-too-large/s);
  const body = `POST /api/v1/devices HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n`;
  expect(await exchange(rig.server.port, body)).toMatch(/^HTTP\/1\.1 (405|413) /);
  expect((await rig.get("/healthz")).status).toBe(200);
});

test("our own mistake is told without its inside, and the log has the rest under the same id", async () => {
  const errors: { requestId?: string; cause?: string }[] = [];
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (facts) => void errors.push(facts) };
  const rig = await ApiRig.open({ logger });
  vi.spyOn(rig.node, "modules").mockImplementation(() => {
    throw new RangeError("secret detail");
  });
  const response = await rig.get("/api/v1/modules");
  const text = await response.text();
  expect([response.status, JSON.parse(text).code]).toEqual([500, "internal"]);
  expect(text).not.toContain("secret");
  expect(errors).toHaveLength(1);
  expect(errors[0]?.requestId).toBe(response.headers.get("x-request-id"));
  expect(errors[0]?.cause).toContain("secret detail");
});

test("while more is asked than can be read, it is said so, with the time after which to ask again", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", [[0, 0]]);
  const full = () => Promise.reject(new HistoryError("busy", { of: "questions", waiting: 256, most: 256 }));
  const history: unknown = Object.assign(Object.create(rig.node.history), { span: full, epochs: full });
  const node = new Proxy(rig.node, {
    get: (target, name) => {
      const found: unknown = name === "history" ? history : Reflect.get(target, name);
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
  const crowded = await rig.beside(node);
  for (const path of ["/api/v1/devices/rotor/history", "/api/v1/devices/rotor", "/api/v1/devices/rotor/gaps"]) {
    const response = await crowded.get(path);
    expect([response.status, response.headers.get("retry-after")], path).toEqual([503, "1"]);
    expect(await response.json()).toMatchObject({ code: "busy", limit: 256, detail: expect.stringContaining("256") });
  }
});

test("a long answer that finds no stream free is a problem that can be read, whatever its reader takes", async () => {
  const rig = await ApiRig.open({ limits: { streams: 0 } });
  await rig.device(
    "rotor",
    Array.from({ length: 2_000 }, () => ROWS)
      .flat()
      .slice(0, 2_000),
  );
  for (const encoding of ["gzip", "identity"]) {
    const response = await rig.get(`${HISTORY}?rate=full&from=0`, { headers: { "accept-encoding": encoding } });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ code: "too-many-streams", limit: 0 });
  }
});
