import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, HttpTarget } from "./http-target.ts";

const LIMIT_MS = 120_000;
const SESSION = "/api/v1/session";

let node: HttpTarget;
let read = "";
let flash = "";
let jobs = "";
let left: ReadonlyMap<string, string> | undefined;

beforeAll(async () => {
  node = await HttpTarget.open();
  read = await node.token("reader", "--role", "read");
  flash = await node.token("flasher", "--role", "flash");
  jobs = await node.token("worker", "--role", "jobs");
}, LIMIT_MS);

afterAll(async () => {
  left ??= await node.close();
}, LIMIT_MS);

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

interface Route {
  readonly method: string;
  readonly path: string;
  readonly roles: readonly string[];
}

/** Every route that the API has, and who may ask. */
async function routes(): Promise<readonly Route[]> {
  const { body } = await node.ask("/api/v1/openapi.json", { headers: bearer(read) });
  const { paths } = JSON.parse(body) as { paths: Record<string, Record<string, { security: { token?: string[] }[] }>> };
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: path.replace("{id}", "pump").replace("{update}", "0123456789abcdef"),
      roles: security.flatMap(({ token = [] }) => token),
    })),
  );
  expect(described.length).toBeGreaterThanOrEqual(20);
  return [
    ...described,
    { method: "GET", path: "/metrics", roles: ["read"] },
    { method: "GET", path: "/readyz", roles: ["read"] },
  ];
}

/** Nothing of the fleet is in an answer. */
function expectNothing({ status, body }: Answer, codes: readonly number[], what: string): void {
  expect([what, codes.includes(status)], `${status} ${body}`).toEqual([what, true]);
  expect(JSON.parse(body).type, what).toMatch(/^urn:lockstep:problem:/);
  expect(body, what).not.toMatch(/pump|rotor|samples/);
}

test(
  "no token, a revoked one, an expired one, one that is nobody's: nothing answers but the page and /healthz",
  async () => {
    const expired = await node.token("guest", "--role", "read", "--expires", "0.000000001");
    // When this one is known, so is that.
    const revoked = await node.token("former", "--role", "read", "--role", "flash", "--role", "jobs");
    const session = await node.ask(SESSION, {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ token: revoked }),
    });
    const [cookie = ""] = (session.headers["set-cookie"]?.[0] ?? "").split(";");
    expect(cookie).toMatch(/=.{43}$/);
    node.secrets.add(cookie.split("=")[1] ?? "");
    await node.revoke("former", revoked);
    const origin = `http://127.0.0.1:${node.port}`;
    const stolen = [
      {},
      bearer(revoked),
      bearer(expired),
      { cookie, origin },
      { cookie: `${cookie}; ${cookie}`, origin },
      { authorization: "Bearer" },
      { authorization: "Bearer  " },
      { authorization: `Basic ${Buffer.from(`reader:${read}`).toString("base64")}` },
      { authorization: read },
      { authorization: `Bearer ${read} ${read}` },
      { "x-authorization": `Bearer ${read}`, "x-forwarded-for": "127.0.0.1", "x-original-url": "/healthz" },
      { cookie: cookie.replace(/=.*/, `=${read}`), origin },
      { cookie: `token=${read}` },
    ];
    for (const [route, { method, path, roles }] of (await routes()).entries()) {
      if (roles.length === 0) continue;
      for (const [n, headers] of stolen.entries()) {
        // From elsewhere each time: whoever shows many that are not good waits, and would not be asked for any.
        const from = `127.1.${route}.${n + 1}`;
        const answer = await node.ask(path, { method, headers: headers as Record<string, string>, from });
        expectNothing(answer, [401], `${method} ${path} with ${n}`);
      }
    }
    for (const path of [
      `/api/v1/devices?token=${read}`,
      `/api/v1/devices?access_token=${read}`,
      `/api/v1/devices#${read}`,
    ]) {
      expectNothing(await node.ask(path), [401], "a token in an address");
    }
    expect((await node.ask("/healthz")).status).toBe(200);
  },
  LIMIT_MS,
);

const JSON_TYPE = { "content-type": "application/json" };

test(
  "a role opens what it is for: no other route, method or spelling of it lets it further",
  async () => {
    const tokens = { read, flash, jobs };
    let refused = 0;
    for (const { method, path, roles } of await routes()) {
      if (roles.length === 0) continue;
      for (const [role, token] of Object.entries(tokens)) {
        if (roles.includes(role)) continue;
        for (const headers of [bearer(token), { ...bearer(token), "x-http-method-override": "GET" }]) {
          expectNothing(await node.ask(path, { method, headers }), [403], `${role}: ${method} ${path}`);
          refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(60);
    for (const path of [
      "/api/v1/updates/?to=pump",
      "/api/v1//updates?to=pump",
      "/API/V1/updates?to=pump",
      "/api/v1/updates;x?to=pump",
      "/api/v1/./updates?to=pump",
      "/api/v1/%75pdates?to=pump",
      "/api/v1/updates%2f?to=pump",
      `http://127.0.0.1:${node.port}/api/v1/updates?to=pump`,
    ]) {
      const headers = { ...bearer(read), "content-type": "application/octet-stream" };
      const answer = await node.ask(path, { method: "POST", headers, body: "x" });
      expectNothing(answer, [400, 403, 404, 405], path);
    }
    for (const body of [{ token: read, roles: ["flash"] }, { token: read, isOpen: true }, { token: [read, flash] }]) {
      const answer = await node.ask(SESSION, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
      expect([answer.status, answer.headers["set-cookie"]], JSON.stringify(body)).toEqual([400, undefined]);
    }
  },
  LIMIT_MS,
);

test(
  "guessing is slowed down for whoever guesses, from one address, and shows in the metrics",
  async () => {
    const count = async () => {
      const { body } = await node.ask("/metrics", { headers: bearer(read) });
      return Number(/^lockstep_wrong_tokens_total (\d+)$/m.exec(body)?.[1]);
    };
    const before = await count();
    const guesses = Array.from({ length: 12 }, (_, n) => `lst_${String(n).padStart(43, "A")}`);
    const statuses: number[] = [];
    for (const guess of guesses) {
      node.secrets.add(guess);
      statuses.push((await node.ask("/api/v1/devices", { headers: bearer(guess), from: "127.0.0.77" })).status);
    }
    expect(statuses.slice(0, 6)).toEqual([401, 401, 401, 401, 401, 429]);
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(8);
    const right = await node.ask("/api/v1/devices", { headers: bearer(read), from: "127.0.0.77" });
    expect(right.status, "a right one does not wait for the guesses of others at its address").toBe(200);
    expect((await count()) - before).toBeGreaterThanOrEqual(5);
  },
  LIMIT_MS,
);

test(
  "a page from elsewhere gets nothing: not with the cookie, not by another name for this address, not by asking first",
  async () => {
    const answer = await node.ask(SESSION, {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify({ token: read }),
    });
    const [cookie = ""] = (answer.headers["set-cookie"]?.[0] ?? "").split(";");
    node.secrets.add(cookie.split("=")[1] ?? "");
    expect((await node.ask("/api/v1/devices", { headers: { cookie } })).status).toBe(200);
    for (const origin of [
      "http://evil.example",
      "null",
      "http://127.0.0.1",
      `http://localhost:${node.port}`,
      `https://127.0.0.1:${node.port}.evil.example`,
    ]) {
      for (const [method, path] of [
        ["DELETE", SESSION],
        ["POST", SESSION],
        ["POST", "/api/v1/updates?to=pump"],
        ["DELETE", "/api/v1/updates/0123456789abcdef"],
      ] as const) {
        const headers = { cookie, origin, "content-type": "text/plain" };
        expectNothing(
          await node.ask(path, { method, headers, ...(method === "POST" ? { body: "{}" } : {}) }),
          [403],
          `${origin} ${method} ${path}`,
        );
      }
      const asked = await node.ask("/api/v1/updates", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
      });
      expect(Object.keys(asked.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expectNothing(
      await node.ask(SESSION, { method: "DELETE", headers: { cookie } }),
      [403],
      "a cookie without an origin",
    );
    for (const site of ["cross-site", "same-site"]) {
      const headers = { cookie, "sec-fetch-site": site, "sec-fetch-mode": "no-cors" };
      for (const path of ["/api/v1/devices", "/api/v1/stream", "/metrics", "/api/v1/devices/pump/history"]) {
        expectNothing(await node.ask(path, { headers }), [403], `${site} ${path}`);
      }
    }
    for (const host of [
      "evil.example",
      `evil.example:${node.port}`,
      "127.0.0.1.evil.example",
      "localhost.evil.example",
    ]) {
      for (const path of ["/", "/healthz", "/api/v1/devices", "/api/v1/stream", SESSION]) {
        expectNothing(await node.ask(path, { headers: { host, cookie } }), [421], `${host} ${path}`);
      }
    }
    expect((await node.ask("/api/v1/devices", { headers: { cookie } })).status).toBe(200);
  },
  LIMIT_MS,
);

test(
  "no secret is in a log or in a file, of all that were used here",
  async () => {
    expect((await node.ask(`/api/v1/devices?search=${read}`, { headers: bearer(read) })).status).toBe(200);
    left = await node.close();
    const log = left.get("the log") ?? "";
    // The look itself works: what is no secret is there.
    expect(log.split("\n").length).toBeGreaterThan(300);
    expect(log).toMatch(/"token":"reader".*logged in/);
    expect(log).toMatch(/"msg":"a wrong token"/);
    expect(log).toContain("search=lst_…");
    expect([...left.keys()].sort()).toEqual(expect.arrayContaining(["node.db", "node.db.tokens", "the log"]));
    expect(left.get("node.db.tokens")).toContain("reader");
    expect(node.secrets.size).toBeGreaterThan(15);
    for (const secret of node.secrets) {
      expect(secret.length).toBeGreaterThan(40);
      for (const [name, text] of left)
        expect([name, text.includes(secret.replace(/^lst_/, ""))]).toEqual([name, false]);
    }
  },
  LIMIT_MS,
);
