import { expect, test, vi } from "vitest";
import type { Role } from "../access/role.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import type { SessionAnswer } from "./schemas/session-schema.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
const SESSION = "/api/v1/session";

/** Log in as the page does. */
async function logIn(rig: ApiRig, token: string): Promise<{ readonly response: Response; readonly cookie: string }> {
  const headers = { "content-type": "application/json", origin: originOf(rig) };
  const response = await rig.get(SESSION, { method: "POST", headers, body: JSON.stringify({ token }) });
  const [cookie = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  return { response, cookie };
}

const originOf = ({ server }: ApiRig): string => `http://127.0.0.1:${server.port}`;
const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { code: string }).code;

/** A stream, and the promise of its end. */
async function follow(rig: ApiRig, headers: Record<string, string>, path = "/api/v1/stream") {
  const response = await rig.get(path, { headers });
  const ended = (async () => {
    for await (const _ of response.body ?? []);
  })();
  return { status: response.status, ended, response };
}

test("without a token everything is as it was: open, and the session says so", async () => {
  const rig = await ApiRig.open();
  expect(await rig.json<SessionAnswer>("/session")).toEqual({
    ...{ isOpen: true, name: null, expires: null },
    roles: ["read", "flash", "jobs"],
  });
  expect((await rig.get("/metrics")).status).toBe(200);
});

test("once a token was made nothing but the page and /healthz answers without one, at each route there is", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", [[0, 0]]);
  const { paths } = await rig.json<{ paths: Record<string, Record<string, { security?: object[] }>> }>("/openapi.json");
  await rig.token("ops", "read");
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({ path, method: method.toUpperCase(), security })),
  );
  expect(routes.length).toBeGreaterThanOrEqual(20);
  const hidden = ["/metrics", "/readyz", "/api/v1/openapi.json", "/api/v1/nothing", "/nothing", "/assets/"];
  const asked = [...routes, ...hidden.map((path) => ({ path, method: "GET", security: undefined }))];
  for (const { path, method, security } of asked) {
    const real = path.replace("{id}", "rotor").replace("{update}", "0".repeat(16));
    const response = await rig.get(real, { method });
    const isForAll = security?.length === 0;
    expect([method, path, response.status === 401], path).toEqual([method, path, !isForAll]);
    if (!isForAll) expect(await codeOf(response)).toBe("no-token");
    if (!isForAll) expect(response.headers.get("www-authenticate")).toBe('Bearer realm="lockstep"');
  }
  expect(asked.filter(({ security }) => security?.length === 0).map(({ method, path }) => `${method} ${path}`)).toEqual(
    [`DELETE ${SESSION}`, `POST ${SESSION}`],
  );
  expect([(await rig.get("/healthz")).status, (await rig.get("/")).status]).toEqual([200, 200]);
});

test("each role opens what the description of the API says, and nothing else", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", [[0, 0]]);
  const { paths } = await rig.json<{ paths: Record<string, Record<string, { security: { token?: Role[] }[] }>> }>(
    "/openapi.json",
  );
  const roles: readonly Role[] = ["read", "flash", "jobs"];
  const secrets = new Map<Role, string>();
  for (const role of roles) secrets.set(role, await rig.token(`only-${role}`, role));
  let refused = 0;
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const allowed = security.flatMap(({ token = [] }) => token);
      if (allowed.length === 0) continue;
      for (const role of roles) {
        const real = path.replace("{id}", "rotor").replace("{update}", "0".repeat(16));
        const controller = new AbortController();
        const init = { method: method.toUpperCase(), signal: controller.signal };
        const response = await rig.as(secrets.get(role) ?? "", real, init);
        const isRefused = response.status === 403;
        if (isRefused) expect(await codeOf(response)).toBe("role-missing");
        expect([method, path, role, isRefused]).toEqual([method, path, role, !allowed.includes(role)]);
        expect(response.status).not.toBe(401);
        if (isRefused) refused += 1;
        controller.abort();
      }
    }
  }
  expect(refused).toBeGreaterThan(20);
});

test("whoever logs in has a cookie that opens what the token does, until he logs out", async () => {
  const rig = await ApiRig.open();
  const secret = await rig.token("ops", "read");
  const { response, cookie } = await logIn(rig, secret);
  expect([response.status, await response.json()]).toEqual([
    200,
    { isOpen: false, name: "ops", roles: ["read"], expires: null },
  ]);
  expect(response.headers.get("set-cookie")).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
  expect(cookie).not.toContain(secret.slice(4));
  expect((await rig.get("/api/v1/devices", { headers: { cookie } })).status).toBe(200);
  const other = await logIn(rig, secret);
  const out = { method: "DELETE", headers: { cookie, origin: originOf(rig) } };
  const { ended } = await follow(rig, { cookie });
  const left = await rig.get(SESSION, out);
  expect([left.status, left.headers.get("set-cookie")]).toEqual([200, expect.stringContaining("Max-Age=0")]);
  await ended;
  expect(await codeOf(await rig.get("/api/v1/devices", { headers: { cookie } }))).toBe("no-token");
  expect((await rig.get("/api/v1/devices", { headers: { cookie: other.cookie } })).status).toBe(200);
  expect((await rig.as(secret, "/metrics").then((answer) => answer.text())).match(/lockstep_sessions \d/)).toEqual(
    expect.arrayContaining(["lockstep_sessions 1"]),
  );
});

test("a token that was made just now opens at once, and wrong ones shown together are counted one by one", async () => {
  const rig = await ApiRig.open();
  await rig.token("ops", "read");
  const wrong = `lst_${"A".repeat(43)}`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => logIn(rig, wrong)));
  const codes = await Promise.all(answers.map(({ response }) => codeOf(response)));
  expect(codes.filter((code) => code === "too-many-attempts")).toHaveLength(3);
  const { secret } = await rig.book.add({ name: "new", roles: ["read"] }, Date.now());
  expect((await logIn(rig, secret)).response.status).toBe(200);
});

test("a log-in again takes the place of the one before: a cookie that somebody planted is worth nothing", async () => {
  const rig = await ApiRig.open();
  const secret = await rig.token("ops", "read");
  const { cookie } = await logIn(rig, secret);
  const headers = { "content-type": "application/json", origin: originOf(rig), cookie };
  const again = await rig.get(SESSION, { method: "POST", headers, body: JSON.stringify({ token: secret }) });
  const [fresh = ""] = (again.headers.get("set-cookie") ?? "").split(";");
  expect(fresh).not.toBe(cookie);
  expect((await rig.get("/api/v1/devices", { headers: { cookie } })).status).toBe(401);
  expect((await rig.get("/api/v1/devices", { headers: { cookie: fresh } })).status).toBe(200);
});

test("a revoked token's streams and log-ins end, others go on", async () => {
  const rig = await ApiRig.open();
  const open = await follow(rig, {});
  const [bad, good] = [await rig.token("stolen", "read"), await rig.token("ops", "read")];
  // Who asked while everybody could is a stranger now.
  await open.ended;
  const { cookie } = await logIn(rig, bad);
  const streams = await Promise.all([
    follow(rig, { authorization: `Bearer ${bad}` }),
    follow(rig, { cookie }),
    follow(rig, { authorization: `Bearer ${good}` }),
  ]);
  expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
  let isGoodOver = false;
  void streams[2]?.ended.then(() => {
    isGoodOver = true;
  });
  await rig.book.revoke("stolen", Date.now());
  await Promise.all([streams[0]?.ended, streams[1]?.ended]);
  expect(isGoodOver).toBe(false);
  expect(await codeOf(await rig.as(bad, "/api/v1/devices"))).toBe("bad-token");
  expect(await codeOf(await rig.get("/api/v1/devices", { headers: { cookie } }))).toBe("no-token");
  expect((await rig.as(good, "/api/v1/devices")).status).toBe(200);
});

test("a token has so many streams, and another one has its own", async () => {
  const rig = await ApiRig.open({ limits: { streamsPerToken: 2 } });
  const [greedy, modest] = [await rig.token("greedy", "read"), await rig.token("modest", "read")];
  const { cookie } = await logIn(rig, greedy);
  const authorization = `Bearer ${greedy}`;
  expect((await follow(rig, { authorization })).status).toBe(200);
  expect((await follow(rig, { cookie })).status).toBe(200);
  for (const headers of [{ authorization }, { cookie }]) {
    const refused = await rig.get("/api/v1/stream", { headers: headers as Record<string, string> });
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: "too-many-streams", limit: 2 }),
    ]);
  }
  expect((await follow(rig, { authorization: `Bearer ${modest}` })).status).toBe(200);
});

test("wrong tokens are counted, and slowed down; a session goes on meanwhile", async () => {
  const rig = await ApiRig.open();
  const secret = await rig.token("ops", "read");
  const { cookie } = await logIn(rig, secret);
  const wrong = `lst_${"A".repeat(43)}`;
  const codes: string[] = [];
  for (let n = 0; n < 6; n++) {
    const response = n % 2 === 0 ? await rig.as(wrong, "/api/v1/devices") : (await logIn(rig, wrong)).response;
    codes.push(await codeOf(response));
    if (n === 5) expect([response.status, response.headers.get("retry-after")]).toEqual([429, "1"]);
  }
  expect(codes).toEqual([...new Array<string>(5).fill("bad-token"), "too-many-attempts"]);
  const text = await rig.get("/metrics", { headers: { cookie } }).then((answer) => answer.text());
  expect(text).toContain("lockstep_wrong_tokens_total 5");
  expect(text).toContain('lockstep_http_refused_total{reason="bad-token"} 5');
  // Who has a good one does not wait for whoever guesses beside him.
  expect((await rig.as(secret, "/api/v1/devices")).status).toBe(200);
});

test("a token that was revoked is counted and slowed down as a wrong one is", async () => {
  const rig = await ApiRig.open();
  const secret = await rig.token("ops", "read");
  await rig.book.revoke("ops", Date.now());
  await vi.waitFor(async () => expect((await rig.as(secret, "/api/v1/devices")).status).toBe(401), LIMIT_MS);
  const codes: string[] = [];
  for (let n = 0; n < 5; n++) codes.push(await codeOf(await rig.as(secret, "/api/v1/devices")));
  expect(codes).toEqual([...new Array<string>(4).fill("bad-token"), "too-many-attempts"]);
});

test("while there is no token nobody is let in through a proxy, and is told the line that makes one", async () => {
  const rig = await ApiRig.open();
  for (const name of ["forwarded", "x-forwarded-for", "x-real-ip", "via"]) {
    const refused = await rig.get("/api/v1/devices", { headers: { [name]: "for=192.0.2.1" } });
    const { code, detail } = (await refused.json()) as { code: string; detail: string };
    expect([name, refused.status, code, detail]).toEqual([
      ...[name, 403, "forwarded"],
      expect.stringContaining("lockstep tokens add"),
    ]);
  }
  expect((await rig.get("/healthz", { headers: { via: "1.1 proxy" } })).status).toBe(200);
  const secret = await rig.token("ops", "read");
  expect((await rig.as(secret, "/api/v1/devices", { headers: { via: "1.1 proxy" } })).status).toBe(200);
});

test("a token without the role to read does not log in, and what is no log-in is told what is wrong, never what was sent", async () => {
  const rig = await ApiRig.open();
  const flash = await rig.token("flasher", "flash");
  const { response } = await logIn(rig, flash);
  expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
  const cases = [
    ["application/json", "", 400],
    ["application/json", "{", 400],
    ["application/json", "[]", 400],
    ["application/json", "null", 400],
    ["application/json", '{"token":""}', 400],
    ["application/json", `{"token":"${"secret-".repeat(60)}"}`, 400],
    ["application/json", '{"token":"secret-1","admin":true}', 400],
    ["application/json", '{"__proto__":{"token":"secret-2"}}', 400],
    ["application/json", '{"token":{"$ne":"secret-3"}}', 400],
    ["application/json", `{"token":${"[".repeat(450)}${"]".repeat(450)}}`, 400],
    ["application/json", `{"token":"${"secret-".repeat(600)}"}`, 413],
    ["text/plain", '{"token":"secret-4"}', 400],
    ["application/x-www-form-urlencoded", "token=secret-5", 400],
  ] as const;
  for (const [type, body, status] of cases) {
    const answer = await rig.get(SESSION, { method: "POST", headers: { "content-type": type }, body });
    const text = await answer.text();
    expect([body.slice(0, 40), answer.status], text).toEqual([body.slice(0, 40), status]);
    expect(text).not.toContain("secret-");
  }
});
