import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeCertificate, writeCertificate } from "../access/made-certificate.suite.ts";
import { readTlsFiles } from "../access/tls-files.ts";
import { TokenBook } from "../access/token-book.ts";
import { ApiRig, closeRigsAfterEach } from "../api/api-rig.suite.ts";
import { runCommandLine } from "./command-line.ts";

closeRigsAfterEach();

let folder = "";
let store: readonly string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-tokens-"));
  store = ["--store", join(folder, "node.db")];
});
afterEach(() => rm(folder, { recursive: true }));

type Env = Readonly<Record<string, string>>;

async function run(args: readonly string[], env: Env = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const interrupt = new AbortController().signal;
  const clock = systemClock();
  const code = await runCommandLine({ args, env, stdin, stdout, stderr, clock, random: systemRandom(), interrupt });
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}

test("a token is made, shown once, listed without it, and revoked", async () => {
  const add = ["tokens", "add", "ops", "--role", "read", "--role", "flash", "--expires", "90", ...store];
  const made = await run(add);
  expect(made.code, made.err).toBe(0);
  const [head = "", secret = ""] = made.out.split("\n");
  expect(head).toMatch(/^token ops \(read, flash\), good until 2\d{3}-.*; it is not shown again:$/);
  expect(secret).toMatch(/^lst_[A-Za-z0-9_-]{43}$/);
  const listed = await run(["tokens", "list", ...store]);
  expect(listed.out).toMatch(/^ops {2}read, flash {2}good until 2\d{3}-/);
  expect(listed.out).not.toContain(secret);
  expect(await run(add)).toMatchObject({ code: 1, err: expect.stringContaining("lockstep tokens revoke ops") });
  expect((await run(["tokens", "revoke", "ops", ...store])).out).toMatch(
    /^token ops is revoked, in .*node\.db\.tokens\n$/,
  );
  expect((await run(["tokens", "list", ...store])).out).toMatch(/^ops {2}read, flash {2}revoked 2\d{3}-/);
  expect(await run(["tokens", "revoke", "none", ...store])).toMatchObject({
    code: 1,
    err: expect.stringContaining("tokens list"),
  });
});

test("with --json there is one object, and the token is in that of add alone", async () => {
  const made = JSON.parse((await run(["tokens", "add", "ops", "--role", "jobs", "--json", ...store])).out);
  expect(made).toMatchObject({ name: "ops", roles: ["jobs"], expires: null, token: expect.stringMatching(/^lst_/) });
  const listed = JSON.parse((await run(["tokens", "list", "--json", ...store])).out);
  expect(listed.tokens).toEqual([
    { name: "ops", roles: ["jobs"], added: made.added, expires: null, revoked: null, isGood: true },
  ]);
  const revoked = JSON.parse((await run(["tokens", "revoke", "ops", "--json", ...store])).out);
  expect(revoked).toEqual({ name: "ops", revoked: true, isNew: true, file: made.file });
  expect(await readFile(made.file, "utf8")).not.toContain(made.token.slice(4));
});

test.each([
  [["tokens", "add", "ops"], "--role read"],
  [["tokens", "add", "ops", "--role", "root"], "write one of read, flash, jobs"],
  [["tokens", "add", "ops", "--role", "read", "--expires", "0"], "a number > 0"],
  [["tokens", "add", "--role", "read"], "NAME"],
  [["serve", "--tls-cert", "a.pem"], "give both"],
  [["serve", "--page-client-cert"], "--tls-client-ca"],
])("wrong usage is told: %j", async (args, remedy) => {
  expect(await run([...args, ...store])).toMatchObject({ code: 2, out: "", err: expect.stringContaining(remedy) });
});

test("beyond this machine a node without a token is refused, with the line that makes one", async () => {
  const ports = ["--http", "0", "--mqtt-port", "0", "--log", "silent"];
  // Else its broker would be refused first.
  expect(await run(["devices", "add", "unit", ...store])).toMatchObject({ code: 0 });
  const refused = await run(["serve", "--host", "0.0.0.0", ...ports, ...store]);
  expect(refused).toMatchObject({ code: 1, out: "" });
  expect(refused.err).toContain(`lockstep tokens add me --role read --store ${store[1]}`);
  expect(await new TokenBook(store[1] ?? "").read()).toBeUndefined();
});

test("`lockstep flash` shows a token from a file of its owner, or from LOCKSTEP_TOKEN, and never follows elsewhere", async () => {
  const rig = await ApiRig.open();
  const [flash, jobs] = [await rig.token("flasher", "flash"), await rig.token("worker", "jobs")];
  const node = ["--node", `http://127.0.0.1:${rig.server.port}`];
  const status = ["flash", "status", "--json", ...node];
  const none = await run(status);
  expect(none).toMatchObject({
    code: 1,
    err: expect.stringMatching(/log in, or send a token.*--token-file FILE, or LOCKSTEP_TOKEN\n$/),
  });
  const file = join(folder, "token");
  await writeFile(file, `${flash}\n`, { mode: 0o644 });
  expect(await run([...status, "--token-file", file])).toMatchObject({
    code: 1,
    err: expect.stringContaining("chmod 600"),
  });
  await rm(file);
  await writeFile(file, `${flash}\n`, { mode: 0o600 });
  expect(await run([...status, "--token-file", file])).toMatchObject({ code: 0, out: '{"updates":[]}\n', err: "" });
  expect(await run(status, { LOCKSTEP_TOKEN: flash })).toMatchObject({ code: 0, err: "" });
  const wrong = await run(status, { LOCKSTEP_TOKEN: jobs });
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("may jobs, and this needs read or flash") });
  const typed = await run(status, { LOCKSTEP_TOKEN: "hunter2" });
  expect(typed).toMatchObject({ code: 2, err: expect.stringContaining("LOCKSTEP_TOKEN has is no token") });
  for (const { out, err } of [none, wrong, typed]) expect(out + err).not.toMatch(/lst_[A-Za-z0-9]|hunter2/);
});

test("over HTTPS a node of one's own authority is trusted with --ca alone", async () => {
  const authority = makeCertificate("authority");
  const tls = readTlsFiles(writeCertificate(folder, makeCertificate("node", authority)));
  const rig = await ApiRig.open({ tls });
  const status = ["flash", "status", "--json", "--node", rig.server.url];
  expect(await run(status)).toMatchObject({ code: 1, err: expect.stringContaining("no node answers") });
  const { cert } = writeCertificate(folder, authority);
  await vi.waitFor(
    async () => expect(await run([...status, "--ca", cert])).toMatchObject({ code: 0, out: '{"updates":[]}\n' }),
    20_000,
  );
});
