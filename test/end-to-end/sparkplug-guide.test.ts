import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../faults/broker-process.ts";
import { programPath, requires } from "../os-package.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";

const TEST_MS = 120_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/guides/sparkplug.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "lockstep-guide-"));
const running: LockstepProcess[] = [];

afterAll(async () => {
  for (const one of running.reverse()) await one.interrupted();
  rmSync(folder, { recursive: true });
}, TEST_MS);

/** Lines to type under a heading. */
function typed(heading: string): string[] {
  const [, section = ""] = new RegExp(`^## ${heading}\n(.*?)(?=^## )`, "ms").exec(GUIDE) ?? [];
  const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, text = ""]) => text.replaceAll(/\\\n\s*/g, " "));
  return blocks.flatMap((text) => text.trim().split("\n"));
}

/** Names in a JSON value, with their places. */
function keysOf(value: unknown, place = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [["[]", value[0]] as const] : Object.entries(value);
  return entries.flatMap(([key, inner]) => [`${place}.${key}`, ...keysOf(inner, `${place}.${key}`)]).sort();
}

requires(
  "python3-sparkplug",
  "protoc",
  "mosquitto-clients",
)("the guide of Sparkplug and JSON", () => {
  test("shows what comes when its lines are typed one after the other", { timeout: TEST_MS }, async () => {
    const [serve = "", sim = "", watch = "", host = "", ...more] = typed("From zero");
    expect(more).toEqual([]);
    const port = String(await freePort());
    const words = (line: string) =>
      line.replaceAll("1883", port).replaceAll("values.db", join(folder, "values.db")).split(" ");
    const start = (line: string, ...options: string[]) => {
      const [npx, lockstep, ...args] = words(line);
      expect([npx, lockstep]).toEqual(["npx", "lockstep"]);
      const started = new LockstepProcess(...args, ...options);
      running.push(started);
      return started;
    };
    await start(serve, "--mqtt-port", port, "--http", "0").said(/"msg":"listening"/);
    start(sim);

    const subscribe = words(watch.replaceAll("'", "")).slice(1);
    const { stdout } = await promisify(execFile)(programPath("mosquitto-clients"), [...subscribe, "-p", port], {
      encoding: "utf8",
    });
    const messages = stdout
      .trim()
      .split("\n")
      .map((line) => /^lockstep\/lockstep\/rotor-1 (.*)$/.exec(line)?.[1] ?? "");
    expect(messages).toHaveLength(3);
    const [shown = ""] = [...GUIDE.matchAll(/```json\n(.*?)```/gs)].map(([, text = ""]) => text);
    for (const message of messages) expect(keysOf(JSON.parse(message))).toEqual(keysOf(JSON.parse(shown)));

    const [python = "", ...args] = words(host);
    const child = spawn(python, args, { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
    let said = "";
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (/DBIRTH.*DDATA/s.test(said)) break;
    }
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
    expect(said).toMatch(
      /^NBIRTH lockstep +seq 0 {2}bdSeq=0, Node Control\/Rebirth=False, Lockstep\/Dropped Values=0$/m,
    );
    expect(said).toMatch(/^DBIRTH lockstep\/rotor-1 +seq 1 {2}x=-?[\d.e-]+, /m);
    expect(said).toMatch(/^DDATA {2}lockstep\/rotor-1 +seq \d+ {2}x=-?[\d.e-]+, /m);
    expect(said).not.toContain("BROKEN");
  });
});

test("every option that the guide names is one of the command", async () => {
  const { stdout } = await runLockstep("serve", "--help");
  const named = new Set([...GUIDE.matchAll(/--(?:republish|sparkplug)[a-z-]*/g)].map(([option]) => option));
  expect(named.size).toBeGreaterThanOrEqual(12);
  for (const option of named) expect(stdout).toContain(`${option} `);
  const known = new Set([...stdout.matchAll(/--(?:republish|sparkplug)[a-z-]*/g)].map(([option]) => option));
  expect([...known].filter((option) => !named.has(option))).toEqual([]);
});
