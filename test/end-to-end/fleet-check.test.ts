import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LockstepProcess } from "./lockstep-process.ts";

const LIMIT_MS = 120_000;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-fleet-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test(
  "a fleet compares what the node stored, on threads, with what each device measured, and fails where it differs",
  async () => {
    const store = join(folder, "store.db");
    const serve = ["serve", "--no-http", "--mqtt-port", "0", "--threads", "2", "--store", store];
    const node = new LockstepProcess(...serve);
    const { mqtt } = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { mqtt: string };
    const fleet = ["sim", "fleet", "--to", mqtt, "--count", "20", "--rate", "200", "--frame-samples", "4"];
    const run = [...fleet, "--duration", "3", "--check", store];
    const first = await new LockstepProcess(...run, "--json").finished();
    expect([first.code, first.stderr]).toEqual([0, expect.anything()]);
    const { total, check } = JSON.parse(first.stdout) as Record<"total" | "check", Record<string, number | boolean>>;
    expect(check).toMatchObject({ devices: 20, lostConfirmed: 0, invented: 0, wrongStatuses: 0, isTrue: true });
    expect(check?.samples).toBe(total?.confirmed);
    expect(check?.maxErrorOverEps).toBeGreaterThan(0.5);

    // Another fleet of the same names: what the first one measured is none of its samples.
    const second = await new LockstepProcess(...run, "--seed", "2").finished();
    expect(second.code).toBe(1);
    expect(second.stdout).toMatch(/[1-9]\d* invented/);

    node.child.kill("SIGTERM");
    expect((await node.finished()).code).toBe(0);
  },
  LIMIT_MS,
);
