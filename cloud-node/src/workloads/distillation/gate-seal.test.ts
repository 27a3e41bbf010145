import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkAlone } from "./gate-process.ts";

const SEAL = fileURLToPath(new URL("./gate-seal.ts", import.meta.url));
/** Ways to a server, or to a file; each is tried and its failure swallowed. */
const WAYS = {
  import: "await import('node:net')",
  old: "new (await import('node:_http_client')).ClientRequest(URL_OF)",
  require: "createRequire(import.meta.url)('net').connect(PORT)",
  load: "Module._load('node:tls')",
  builtin: "process.getBuiltinModule('net').connect(PORT)",
  vm: "(await import('node:vm')).runInThisContext('1')",
  module: "(await import('node:module')).registerHooks({})",
  fetch: "await fetch(URL_OF)",
  socket: "new WebSocket('ws://127.0.0.1:' + PORT)",
  dispatcher: `(void new Response(), globalThis[Symbol.for('undici.globalDispatcher.1')]).dispatch({ origin: URL_OF, path: '/', method: 'GET' }, {})`,
  file: "statSync('/etc/hostname')",
  list: "readdirSync('/')",
} as const;
/** What Node's permission model refuses by itself. */
const CLOSED = ["process.binding('tcp_wrap')", "process._linkedBinding('tcp_wrap')", "process.dlopen({}, '/x.node')"];

let folder = "";
let server: Server;
let isReached = false;
let heard: { readonly [way: string]: { readonly refused: readonly string[]; readonly isThrown: boolean } } = {};
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "gate-seal-")));
  server = createServer((_, answer) => {
    isReached = true;
    answer.end();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const tries = Object.entries({ ...WAYS, ...CLOSED }).map(
    ([way, code]) => `await attempt("${way}", async () => { ${code}; });`,
  );
  const program = `
    import { readdirSync, statSync } from "node:fs";
    import Module, { createRequire } from "node:module";
    import { sealProcess } from ${JSON.stringify(SEAL)};
    const [PORT, URL_OF] = [${port}, "http://127.0.0.1:${port}/"];
    const heard = {};
    const refused = [];
    sealProcess(refused);
    async function attempt(way, what) {
      refused.length = 0;
      let isThrown = false;
      try { await what(); } catch { isThrown = true; }
      heard[way] = { refused: [...refused], isThrown };
    }
    ${tries.join("\n    ")}
    process.stdout.write(JSON.stringify(heard));
  `;
  await writeFile(join(folder, "program.mjs"), program);
  const reads = [folder, dirname(SEAL)].map((path) => `--allow-fs-read=${path}`);
  const args = ["--permission", ...reads, "--no-warnings", join(folder, "program.mjs")];
  heard = JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

test.for(Object.keys(WAYS))("who tries %s is refused, and that is known though it was swallowed", (way) => {
  expect(heard[way]?.refused).toHaveLength(1);
  expect(heard[way]?.isThrown).toBe(true);
});

test.for(Object.keys(CLOSED))("what lies below the modules is closed, too: way %s", (way) => {
  expect(heard[way]?.isThrown).toBe(true);
});

test("nobody was reached", () => {
  expect(isReached).toBe(false);
});

test("a process that looked for anything, or was kept from less than it was to be, fails the gate", () => {
  const answer = {
    files: ["denied" as const],
    network: "sealed" as const,
    denied: [],
    peakMB: 1,
    answers: {},
    adapters: {},
  };
  const former = ["/run/teachers/abacus"];
  expect(() => checkAlone(answer, former)).not.toThrow();
  const looked = expect.objectContaining({ code: "gate-failed", problem: expect.stringContaining("/etc/hostname") });
  expect(() => checkAlone({ ...answer, denied: heard.file?.refused as string[] }, former)).toThrow(looked);
  const open = expect.objectContaining({ code: "not-isolated" });
  expect(() => checkAlone({ ...answer, files: ["absent"] }, former)).toThrow(open);
  expect(() => checkAlone({ ...answer, files: ["readable"] }, former)).toThrow(open);
  expect(() => checkAlone({ ...answer, files: [] }, former)).toThrow(open);
});
