import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { requires } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";

const LIMIT_MS = 120_000;
const GUIDE = readFileSync(fileURLToPath(new URL("../../docs/guides/api.md", import.meta.url)), "utf8");
const run = promisify(execFile);

interface Places {
  readonly http: string;
  readonly mqtt: string;
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-served-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A node, and where it listens. */
async function serve(): Promise<{ readonly node: LockstepProcess; readonly places: Places }> {
  const store = join(folder, `${Math.random()}.db`);
  const node = new LockstepProcess(...["serve", "--http", "0", "--mqtt-port", "0", "--store", store, "--log", "debug"]);
  const line = await node.said(/\{.*"msg":"listening"\}/);
  return { node, places: JSON.parse(line) as Places };
}

/** Blocks of the guide in one language, the address of its examples replaced. */
function blocks(language: string, url: string): string[] {
  const found = [...GUIDE.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(([, text = ""]) => text);
  expect(found.length).toBeGreaterThan(0);
  return found.map((text) =>
    text.replaceAll("http://localhost:8080", url).replaceAll("localhost:8080", new URL(url).host),
  );
}

/** Names of everything in a JSON value, with its place. */
function keysOf(value: unknown, place = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [["[]", value[0]] as const] : Object.entries(value);
  return entries.flatMap(([key, inner]) => [`${place}.${key}`, ...keysOf(inner, `${place}.${key}`)]);
}

requires("curl", "python3")("the guide of the API", () => {
  let demo: LockstepProcess;
  let url = "";

  beforeAll(async () => {
    demo = new LockstepProcess("demo", "--http", "0");
    url = await demo.said(/http:\/\/localhost:\d+/);
    for (let samples = 0; samples < 200; ) {
      const answer = await fetch(`${url}/api/v1/devices/rotor-1`);
      const { confirmed } = (await answer.json()) as { confirmed?: { samples: number } };
      samples = confirmed?.samples ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }, LIMIT_MS);

  afterAll(async () => {
    demo.child.kill("SIGINT");
    await demo.finished();
  }, LIMIT_MS);

  test(
    "every command of it that asks the node runs, and answers what the guide shows",
    async () => {
      const lines = blocks("sh", url).flatMap((block) => block.trim().split("\n"));
      const curls = lines.filter((line) => line.startsWith("curl "));
      expect(curls.length).toBeGreaterThanOrEqual(12);
      const shown = blocks("json", url).map((text) => JSON.parse(text) as Record<string, unknown>);
      const answers = new Map<string, string>();
      for (const line of curls) {
        const { stdout } = await run("sh", ["-c", line], { cwd: folder, encoding: "utf8" });
        answers.set(line, stdout);
        if (!line.includes(" -o ")) expect(stdout.length, line).toBeGreaterThan(10);
        if (!line.includes("from=")) expect(stdout, line).not.toContain("urn:lockstep:problem");
      }
      const parsed = [...answers.values()]
        .filter((text) => text.startsWith("{"))
        .map((text) => keysOf(JSON.parse(text)));
      for (const sample of shown) {
        expect(
          parsed.some((keys) => keysOf(sample).every((key) => keys.includes(key))),
          JSON.stringify(sample),
        ).toBe(true);
      }
      const handedIn = [...answers].find(([line]) => line.includes('"workload"'))?.[1] ?? "";
      const [, job = ""] = /"id":"([0-9a-f]{64})"/.exec(handedIn) ?? [];
      const ended = await vi.waitFor(
        async () => {
          const answer = (await (await fetch(`${url}/api/v1/jobs/${job}`)).json()) as { state: string; error: unknown };
          expect(["queued", "running"]).not.toContain(answer.state);
          return answer;
        },
        { timeout: LIMIT_MS, interval: 100 },
      );
      expect(ended, "what the guide hands in").toMatchObject({ state: "done", error: null });
      const stream = [...answers].find(([line]) => line.includes("/stream"))?.[1] ?? "";
      for (const event of ["fleet", "device", "lanes", "event", "heartbeat"])
        expect(stream).toContain(`event: ${event}\n`);
      expect(readFileSync(join(folder, "rotor.csv"), "utf8")).toMatch(
        /^time_us,epoch,x,y,saturated,damaged_to_us\n\d+,1,/,
      );
      expect(readFileSync(join(folder, "rotor.ndjson"), "utf8")).toMatch(/\{"rows":\d+\}\n$/);
    },
    LIMIT_MS,
  );

  test(
    "its notebook example counts the samples of the last hour",
    async () => {
      const [program = ""] = blocks("python", url);
      const { stdout } = await run("python3", ["-c", program], { encoding: "utf8" });
      const [, samples, seconds, low, high] = /^(\d+) samples, ([\d.]+) s, (-[\d.]+) to ([\d.]+)\n$/.exec(stdout) ?? [];
      expect(Number(samples)).toBeGreaterThan(200);
      expect(Math.abs(Number(seconds) - Number(samples) / 100)).toBeLessThanOrEqual(1);
      expect(Number(low)).toBeLessThan(-0.9);
      expect(Number(high)).toBeGreaterThan(0.9);
    },
    LIMIT_MS,
  );
});

describe("a served node", () => {
  test(
    "its metrics count what devices send, and its log names each request",
    async () => {
      const { node, places } = await serve();
      const device = new LockstepProcess("sim", "rotor", "--to", places.mqtt, "--duration", "3");
      expect((await device.finished()).code).toBe(0);
      const text = await (await fetch(`${places.http}/metrics`)).text();
      const metric = (name: string) => {
        const line = text.split("\n").find((one) => one.startsWith(`${name} `)) ?? "";
        return Number(line.slice(name.length));
      };
      expect(metric("lockstep_frames_total")).toBeGreaterThanOrEqual(3);
      const about = await (await fetch(`${places.http}/api/v1/devices/rotor-1`)).json();
      const values = 6 * (about as { confirmed: { samples: number } }).confirmed.samples;
      expect(values).toBeGreaterThanOrEqual(6 * 290);
      expect(metric("lockstep_samples_total")).toBe(values);
      expect(metric('lockstep_bytes_total{layer="raw"}')).toBe(4 * values);
      expect(metric('lockstep_bytes_total{layer="payload"}')).toBeGreaterThan(10);
      const layers = ["payload", "frame", "ip"].map((layer) => metric(`lockstep_bytes_total{layer="${layer}"}`));
      expect(layers).toEqual([...layers].sort((a, b) => a - b));
      expect(metric("lockstep_commit_seconds_count")).toBeGreaterThanOrEqual(1);
      expect(metric("lockstep_committed_frames_total")).toBeGreaterThanOrEqual(3);
      expect(metric('lockstep_store_bytes{file="database"}')).toBeGreaterThan(4096);
      expect(metric('lockstep_twins{state="live"}') + metric('lockstep_twins{state="offline"}')).toBe(1);
      expect(metric('lockstep_ring_fill_ratio{device="rotor-1"}')).toBeLessThan(0.1);
      expect(await (await fetch(`${places.http}/readyz`)).json()).toMatchObject({
        status: "ready",
        broker: "reachable",
      });
      const { headers } = await fetch(`${places.http}/api/v1/devices/nobody`);
      const logged = JSON.parse(await node.said(/\{[^\n]*"url":"\/api\/v1\/devices\/nobody"[^\n]*\}/)) as object;
      expect(logged).toMatchObject({ requestId: headers.get("x-request-id"), method: "GET", status: 404 });
      node.child.kill("SIGTERM");
      expect((await node.finished()).code).toBe(0);
    },
    LIMIT_MS,
  );

  test(
    "SIGTERM ends it in order and in time, whatever is open",
    async () => {
      const { node, places } = await serve();
      const device = new LockstepProcess("sim", "rotor", "--to", places.mqtt);
      const stream = await fetch(`${places.http}/api/v1/stream`);
      const reader = stream.body?.getReader();
      await reader?.read();
      await node.said(/"msg":"born"/);
      node.child.kill("SIGTERM");
      while ((await reader?.read())?.done === false);
      const { code, stderr } = await node.finished();
      // In time, too: what takes longer than supervisors wait is given up, and the code says so.
      expect(code).toBe(0);
      expect(stderr).toContain("shutting down");
      expect(stderr).not.toContain("shutting down took over");
      for (const line of stderr.trim().split("\n")) expect(() => JSON.parse(line), line).not.toThrow();
      device.child.kill("SIGKILL");
      await device.finished();
    },
    LIMIT_MS,
  );
});
