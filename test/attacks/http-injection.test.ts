import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, HttpTarget } from "./http-target.ts";

const LIMIT_MS = 170_000;
const ALL = ["--role", "read", "--role", "flash", "--role", "jobs"] as const;

let node: HttpTarget;
let headers: Record<string, string> = {};
let before = "";

beforeAll(async () => {
  node = await HttpTarget.open();
  // With every role: what is refused is not refused for want of one.
  headers = { authorization: `Bearer ${await node.token("attacker", ...ALL)}` };
  before = await state();
}, LIMIT_MS);

afterAll(async () => {
  await node.close();
}, LIMIT_MS);

/** What must be as it was, whatever was sent: the device, its past, updates, modules. */
async function state(): Promise<string> {
  const paths = ["devices/pump/history?rate=full&format=csv", "devices/pump/gaps", "updates", "modules", "session"];
  const answers = await Promise.all(paths.map((path) => node.ask(`/api/v1/${path}`, { headers })));
  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
  return answers.map(({ body }) => body).join("\n");
}

/** It was understood as nothing more than text: an ordinary answer, and no header or mistake that somebody put there. */
function expectOrdinary(answer: Answer, what: string): void {
  expect(
    [200, 204, 400, 403, 404, 405, 409, 413, 414, 421, 422].includes(answer.status),
    `${what}: ${answer.status} ${answer.body}`,
  ).toBe(true);
  expect(answer.headers["set-cookie"], what).toBeUndefined();
  expect(answer.headers["x-injected"], what).toBeUndefined();
  expect(answer.headers.location, what).toBeUndefined();
  expect(String(answer.headers["content-type"]), what).toMatch(
    /^(application\/(json|problem\+json|x-ndjson)|text\/(csv|event-stream|plain|html))/,
  );
  expect(answer.headers["x-content-type-options"], what).toBe("nosniff");
  if (answer.status >= 400) expect(String(answer.headers["content-type"]), what).toContain("application/problem+json");
  expect(answer.body, what).not.toMatch(
    /SQLITE|sqlite|syntax error|node:internal|\/node_modules\/|at .*\.js:\d+|root:x:0/,
  );
}

const PAYLOADS: readonly string[] = [
  "' OR '1'='1",
  "'; DROP TABLE frames; --",
  "pump' UNION SELECT payload FROM frames --",
  '" OR ""="',
  "1; ATTACH DATABASE '/tmp/x' AS x; --",
  "%27%20OR%201=1",
  "\r\nx-injected: 1",
  "\r\n\r\n<script>alert(1)</script>",
  "\nset-cookie: a=b",
  "\u0000",
  "pump\u0000.csv",
  "../../../../etc/passwd",
  "..\\..\\windows\\win.ini",
  "file:///etc/passwd",
  "__proto__",
  "constructor",
  "prototype.polluted",
  "toString",
  "hasOwnProperty",
  "{{7*7}}",
  "\u0024{7*7}",
  "$(id)",
  "`id`",
  "| id",
  "<script>alert(1)</script>",
  "\u202epmup",
  "pｕmp",
  "\ud83d\ude00",
  "e\u0301",
  "-1",
  "1e400",
  "NaN",
  "Infinity",
  "0x10",
  "9223372036854775808",
  "1,".repeat(900),
  "*".repeat(64),
  "a".repeat(3_000),
  "[object Object]",
  "true",
  "null",
];
/** As they stand in an address, past what any client would write. */
const RAW_PAYLOADS: readonly string[] = [
  "%",
  "%zz",
  "%c0%ae%c0%ae%2f",
  "%ff%fe",
  "%ed%a0%80",
  "%00",
  "%0d%0ax-injected:%201",
  "%250d%250a",
  "%e5%98%8a%e5%98%8dx-injected:1",
  "%5b%5d",
];

interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
}

/** A path of the description with something in its place. */
function filled(path: string, values: Readonly<Record<string, string>>): string {
  const all: Readonly<Record<string, string>> = { id: "pump", update: "0123456789abcdef", ...values };
  return path.replace(/\{(\w+)\}/g, (_, name: string) => all[name] ?? name);
}

test(
  "no text in any parameter of any route is taken for more than text",
  async () => {
    const { body } = await node.ask("/api/v1/openapi.json", { headers });
    const { paths } = JSON.parse(body) as { paths: Record<string, Record<string, { parameters?: Parameter[] }>> };
    let tried = 0;
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { parameters = [] }] of Object.entries(methods)) {
        for (const parameter of parameters) {
          const values = [...PAYLOADS.map((text) => encodeURIComponent(text)), ...RAW_PAYLOADS];
          for (const value of values) {
            const place = filled(path, parameter.in === "path" ? { [parameter.name]: value } : {});
            const query =
              parameter.in === "query" ? `?${parameter.name}=${value}` : method === "post" ? "?to=nobody" : "";
            const more = parameter.in === "header" ? { [parameter.name]: value } : {};
            const type = method === "post" ? { "content-type": "application/octet-stream" } : {};
            const answer = await node.ask(`${place}${query}`, {
              ...{ method: method.toUpperCase(), headers: { ...headers, ...more, ...type } },
              ...(method === "post" ? { body: "x" } : {}),
            });
            expectOrdinary(answer, `${method} ${place}${query}`);
            tried += 1;
          }
        }
      }
    }
    expect(tried).toBeGreaterThan(1_500);
    expect(await state()).toBe(before);
  },
  LIMIT_MS,
);

test(
  "a parameter twice, in brackets, or one that there is not, changes nothing of how it is understood",
  async () => {
    for (const query of [
      "__proto__[isOpen]=true",
      "__proto__=1",
      "constructor[prototype][isOpen]=true",
      "rows[]=1&rows[]=2",
      "rows[__proto__]=1",
      "rows=1&rows=2",
      "search=a&search=b",
      "sort[toString]=1",
      "=",
      "&&&",
      "?",
      "rows=1;sort=name",
      "%5f%5fproto%5f%5f=1",
    ]) {
      const answer = await node.ask(`/api/v1/devices?${query}`, { headers });
      expectOrdinary(answer, query);
      if (answer.status === 200) expect(Object.keys(JSON.parse(answer.body))).toContain("rows");
    }
    expect(await state()).toBe(before);
  },
  LIMIT_MS,
);

test(
  "no path leads out of the page's own files",
  async () => {
    const ups = [
      "../",
      "..%2f",
      "%2e%2e/",
      "%2e%2e%2f",
      "..%5c",
      "..\\",
      "..%252f",
      "%c0%ae%c0%ae/",
      "..;/",
      "..%00/",
      ".%2e/",
      "....//",
    ];
    const starts = ["/", "/assets/", "//", "/api/v1/devices/"];
    const ends = ["etc/passwd", "package.json", "node.db.tokens"];
    for (const up of ups) {
      for (const start of starts) {
        for (const end of ends) {
          for (const depth of [1, 8]) {
            const path = `${start}${up.repeat(depth)}${end}`;
            const answer = await node.ask(path, { headers });
            expectOrdinary(answer, path);
            expect([path, answer.status === 200]).toEqual([path, false]);
          }
        }
      }
    }
    for (const path of [
      "//evil.example/",
      "/\\evil.example",
      "/%2f%2fevil.example",
      "/.git/config",
      "/.env",
      `${node.store}`,
      "/assets",
      "/assets/",
    ]) {
      const answer = await node.ask(path, { headers });
      expectOrdinary(answer, path);
      expect([path, answer.status === 200]).toEqual([path, false]);
    }
  },
  LIMIT_MS,
);

test(
  "bodies that are too large, too deep, too strange, or two requests in one, do no harm",
  async () => {
    const json = { "content-type": "application/json" };
    const bodies = [
      "x".repeat(2_000),
      `${"[".repeat(1_000)}`,
      `{"token":${"[".repeat(480)}${"]".repeat(480)}}`,
      `{"token":"a","__proto__":{"isOpen":true}}`,
      `{"constructor":{"prototype":{"isOpen":true}},"token":"a"}`,
      `{"token":"a","token":{"a":1}}`,
      `{"token":1e999}`,
      `\ufeff{"token":"a"}`,
      "\u0000",
      '{"token":"\\ud800"}',
    ];
    for (const body of bodies) {
      const answer = await node.ask("/api/v1/session", { method: "POST", headers: json, body, from: "127.0.0.55" });
      expect([400, 401, 413, 429].includes(answer.status), `${body.slice(0, 40)}: ${answer.status}`).toBe(true);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
    const authorization = `authorization: ${headers.authorization}`;
    const smuggled: readonly (string | Uint8Array)[] = [
      `POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/modules HTTP/1.1\r\nhost: localhost\r\n${authorization}\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab`,
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost : localhost\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\n x-folded: 1\r\n\r\n`,
      `GET /healthz HTTP/1.1\nhost: localhost\n\n\u0000`,
      `GET /${"a".repeat(70_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\n${"x-a: b\r\n".repeat(4_000)}\r\n`,
      `CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n`,
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      randomBytes(2_000),
    ];
    for (const [n, bytes] of smuggled.entries()) {
      const answer = await node.exchange(bytes, "127.0.0.56");
      expect([n, answer.includes('"modules"') || /^HTTP\/1\.1 200.*HTTP\/1\.1 200/s.test(answer)]).toEqual([n, false]);
    }
    expect(await state()).toBe(before);
  },
  LIMIT_MS,
);

test(
  "a hostile module is refused before anything is kept or sent",
  async () => {
    const files = () => readdirSync(dirname(node.store), { recursive: true, encoding: "utf8" }).sort();
    const kept = files();
    const octets = { ...headers, "content-type": "application/octet-stream" };
    const wasm = Buffer.from("0061736d01000000", "hex");
    const nested = Buffer.alloc(1_000_000, 0x81);
    const modules: readonly (readonly [name: string, body: Uint8Array, type?: string])[] = [
      ["nothing", Buffer.alloc(0)],
      ["noise", randomBytes(4_096)],
      ["zeros", Buffer.alloc(100_000)],
      ["a module that nobody signed", Buffer.concat([wasm, randomBytes(64)])],
      ["CBOR of a million levels", nested],
      ["CBOR that says it has 2^63 items", Buffer.from("9b7fffffffffffffff", "hex")],
      ["CBOR that says it has 2^63 bytes", Buffer.from("5b7fffffffffffffff", "hex")],
      ["CBOR without an end", Buffer.alloc(50_000, 0x9f)],
      ["a map that names __proto__", Buffer.from("a1695f5f70726f746f5f5fa16269731a00000001", "hex")],
      ["just below the limit", Buffer.alloc((4 << 20) - 1, 0x41)],
      ["over the limit", Buffer.alloc((4 << 20) + 1, 0x41)],
      ["JSON", Buffer.from('{"module":"x"}'), "application/json"],
      [
        "a form",
        Buffer.from("--x\r\ncontent-disposition: form-data; name=f; filename=../../x\r\n\r\nx\r\n--x--"),
        "multipart/form-data; boundary=x",
      ],
    ];
    for (const [name, body, type] of modules) {
      for (const path of [
        "/api/v1/updates?to=pump",
        "/api/v1/updates/check?to=pump",
        "/api/v1/updates?to=*&skip=true",
      ]) {
        const asked = { ...octets, ...(type === undefined ? {} : { "content-type": type }) };
        // Whoever is told that it is too large may be cut while he sends.
        const answer = await node.ask(path, { method: "POST", headers: asked, body }).catch(() => undefined);
        if (answer === undefined) {
          expect(name).toBe("over the limit");
          continue;
        }
        expect([name, path, [400, 409, 413, 422].includes(answer.status)], answer.body).toEqual([name, path, true]);
      }
    }
    expect(files().filter((name) => !kept.includes(name))).toEqual([]);
    expect(JSON.parse((await node.ask("/api/v1/updates", { headers })).body)).toMatchObject({ updates: [] });
    expect(await state()).toBe(before);
  },
  LIMIT_MS,
);
