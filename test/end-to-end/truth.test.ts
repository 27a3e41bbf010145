import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LockstepProcess } from "./lockstep-process.ts";

const LIMIT_MS = 120_000;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-truth-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Truth {
  readonly compared: number;
  readonly beyondEps: number;
  readonly maxErrorShare: number | null;
  readonly timesUs: readonly number[];
  readonly code?: string;
}

test(
  "a device of the lite profile streams to a node that has its module from the release, each value within its bound",
  async () => {
    const truths = join(folder, "truths");
    const places = ["--http", "0", "--mqtt-port", "0", "--store", join(folder, "store.db")];
    const node = new LockstepProcess("serve", ...places, "--test-truth", truths);
    const { http, mqtt } = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string; mqtt: string };
    const told = ["--profile", "lite", "--test-truth", truths, "--duration", "2", "--frame-samples", "20", "--json"];
    const { code, stdout } = await new LockstepProcess("sim", "rotor", "--to", mqtt, ...told).finished();
    const { total } = JSON.parse(stdout) as { total: { samples: number; confirmed: number } };
    const ask = async (path: string) => (await (await fetch(`${http}/api/v1/devices/${path}`)).json()) as unknown;
    const lite = readFileSync(new URL("../../edge-sdk/build/device-lite.wasm", import.meta.url));
    expect(JSON.stringify(await ask("rotor-1"))).toContain(createHash("sha256").update(lite).digest("hex"));
    expect(code).toBe(0);
    expect(total.samples).toBeGreaterThan(100);
    expect(total.confirmed).toBe(total.samples);
    const answer = (await ask("rotor-1/truth?rate=full&from=0")) as Truth;
    expect(answer).toMatchObject({ compared: 6 * total.confirmed, beyondEps: 0 });
    expect(answer.maxErrorShare).toBeGreaterThan(0.5);
    node.child.kill("SIGTERM");
    expect((await node.finished()).code).toBe(0);
  },
  LIMIT_MS,
);

test(
  "a node that shares a folder with simulated devices says how far each stored value is from what was measured",
  async () => {
    const truths = join(folder, "truths");
    const places = ["--http", "0", "--mqtt-port", "0", "--store", join(folder, "store.db")];
    const node = new LockstepProcess("serve", ...places, "--test-truth", truths);
    const { http, mqtt } = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string; mqtt: string };
    const told = ["--test-truth", truths, "--duration", "2", "--frame-samples", "20", "--json"];
    const device = new LockstepProcess("sim", "rotor", "--to", mqtt, ...told);
    const { total } = JSON.parse((await device.finished()).stdout) as { total: { confirmed: number } };
    const ask = async (path: string) => (await (await fetch(`${http}/api/v1/devices/${path}`)).json()) as Truth;
    const answer = await ask("rotor-1/truth?rate=full&from=0");
    expect(total.confirmed).toBeGreaterThan(100);
    expect(answer).toMatchObject({ compared: 6 * total.confirmed, beyondEps: 0 });
    expect(answer.timesUs).toHaveLength(total.confirmed);
    expect(answer.maxErrorShare).toBeGreaterThan(0.5);
    expect(answer.maxErrorShare).toBeLessThanOrEqual(1);

    // Who says nothing, or nonsense, is a device as any other.
    const silent = new LockstepProcess("sim", "rotor", "--to", mqtt, "--id", "silent", "--duration", "1");
    expect((await silent.finished()).code).toBe(0);
    expect((await ask("silent/truth")).code).toBe("truth-unknown");
    const blocked = join(folder, "file");
    writeFileSync(blocked, "");
    const refused = new LockstepProcess("sim", "rotor", "--to", mqtt, "--duration", "1", "--test-truth", blocked);
    const { code, stderr } = await refused.finished();
    expect([code, stderr]).toEqual([1, expect.stringContaining(`nothing can be written to ${blocked}`)]);

    node.child.kill("SIGTERM");
    expect((await node.finished()).code).toBe(0);
  },
  LIMIT_MS,
);
