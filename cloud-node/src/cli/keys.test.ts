import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommandLine } from "./command-line.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-keys-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const interrupt = new AbortController().signal;
  const streams = { stdin, stdout, stderr };
  const code = await runCommandLine({
    args,
    env: {},
    ...streams,
    clock: systemClock(),
    random: systemRandom(),
    interrupt,
  });
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}

test("a key is made, shown, trusted, listed and taken back, and its secret half is never printed", async () => {
  const [file, store] = [join(folder, "release.key"), join(folder, "node.db")];
  const made = JSON.parse((await run("keys", "new", file, "--json")).out);
  expect(made).toMatchObject({ algorithm: "ed25519", file, publicFile: `${file}.pub` });
  const line = (await readFile(`${file}.pub`, "utf8")).trim();
  expect(made.publicKey).toBe(line);
  expect((await run("keys", "show", file)).out).toBe(`${line} ${made.id}\n`);
  expect((await run("keys", "show", `${file}.pub`)).out).toBe(`${line} ${made.id}\n`);
  expect((await run("keys", "list", "--store", store)).out).toContain("keys trust FILE --store");
  expect((await run("keys", "trust", `${file}.pub`, "--store", store)).out).toContain(`key ${made.id} is trusted`);
  expect((await run("keys", "trust", line, "--store", store)).out).toContain(`key ${made.id} is already trusted`);
  const secret = join(folder, "shared.key");
  const shared = JSON.parse((await run("keys", "new", secret, "--kind", "hmac", "--json")).out);
  expect(shared).toMatchObject({ algorithm: "hmac-sha256", publicFile: null, publicKey: null });
  const shown = await run("keys", "show", secret);
  expect(shown.out).toContain(shared.id);
  expect(shown.out).not.toContain((await readFile(secret, "utf8")).trim().split(":")[1]);
  await run("keys", "trust", secret, "--store", store);
  const { keys } = JSON.parse((await run("keys", "list", "--store", store, "--json")).out);
  expect(keys).toEqual([
    { algorithm: "ed25519", id: made.id },
    { algorithm: "hmac-sha256", id: shared.id },
  ]);
  expect((await run("keys", "trust", made.id, "--remove", "--store", store)).code).toBe(0);
  expect((await run("keys", "list", "--store", store)).out).toBe(`${shared.id}  hmac-sha256\n`);
});

test("what goes wrong with a key ends with exit code 1, or 2 for wrong usage, and one line that says what to do", async () => {
  const [file, store] = [join(folder, "other.key"), join(folder, "other.db")];
  await run("keys", "new", file);
  await writeFile(join(folder, "text"), "hello");
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [["keys", "new", file], 1, "never written over"],
    [["keys", "new", join(folder, "none", "a.key")], 1, "no such file or folder"],
    [["keys", "show", join(folder, "missing")], 1, "no such file or folder"],
    [["keys", "show", join(folder, "text")], 1, "holds no key"],
    [["keys", "trust", join(folder, "text"), "--store", store], 1, "holds no key"],
    [["keys", "trust", "0123456789abcdef", "--remove", "--store", store], 1, "keys list"],
    [["keys", "new", file, "--kind", "rsa"], 2, "allowed are ed25519, hmac"],
    [["keys"], 2, "subcommand"],
    [["keys", "new"], 2, "FILE"],
  ];
  for (const [args, code, hint] of cases) {
    const ended = await run(...args);
    expect([ended.code, ended.out], ended.err).toEqual([code, ""]);
    expect(ended.err.trimEnd().split("\n")).toHaveLength(1);
    expect(ended.err).toContain(hint);
  }
});
