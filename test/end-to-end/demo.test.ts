import { expect, test } from "vitest";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";

/** The demo's own duration, set-up, and the last acknowledgements; generous for a machine that does other things. */
const LIMIT_MS = 120_000;
const DURATION_S = 12;
const RATE_HZ = 100;
const CHANNELS = 6;
const FIELDS = [
  "id",
  "samples",
  "confirmed",
  "lost",
  "maxErrorOverEps",
  "rmsErrorPooled",
  "payloadBytes",
  "frameBytes",
  "ipBytes",
  "rawBytes",
  "ratioPayload",
  "ratioFrame",
  "ratioIp",
  "latencyMsP50",
  "latencyMsP99",
];

test(
  "the demo ends by itself, and its one JSON object shows that nothing was lost and every value is within its bound",
  async () => {
    const { code, stdout, stderr } = await runLockstep(
      ...["demo", "--duration", String(DURATION_S), "--json", "--http", "0", "--seed", "7"],
    );
    expect(code, stderr).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(["devices", "cpuShareEdge", "wallSeconds"]);
    expect(result.wallSeconds).toBeGreaterThanOrEqual(DURATION_S);
    expect(result.cpuShareEdge).toBeGreaterThan(0);
    expect(result.devices.map(({ id }: { id: string }) => id)).toEqual(["imu-1", "rotor-1"]);
    for (const device of result.devices) {
      expect(Object.keys(device)).toEqual(FIELDS);
      expect(device.samples).toBeGreaterThanOrEqual(DURATION_S * RATE_HZ);
      expect(device.confirmed).toBe(device.samples);
      expect(device.lost).toBe(0);
      expect(device.maxErrorOverEps).toBeGreaterThan(0);
      expect(device.maxErrorOverEps).toBeLessThanOrEqual(1);
      const rawPayload = 4 * CHANNELS * device.samples;
      expect(device.rawBytes).toBe(rawPayload + device.frameBytes - device.payloadBytes);
      expect(device.payloadBytes).toBeLessThan(device.frameBytes);
      expect(device.frameBytes).toBeLessThan(device.ipBytes);
      expect(device.ratioPayload).toBeCloseTo(rawPayload / device.payloadBytes, 6);
      expect(device.ratioFrame).toBeCloseTo(device.rawBytes / device.frameBytes, 6);
      expect(device.ratioIp).toBeCloseTo((rawPayload + device.ipBytes - device.payloadBytes) / device.ipBytes, 6);
      expect(device.ratioIp).toBeGreaterThan(1);
      expect(device.latencyMsP50).toBeLessThanOrEqual(device.latencyMsP99);
    }
    const rotor = result.devices[1];
    expect(rotor.rmsErrorPooled).toBeLessThan(0.05);
  },
  LIMIT_MS,
);

test(
  "Ctrl-C ends the demo in good order: its summary on standard error, nothing on standard output, exit code 0",
  async () => {
    const demo = new LockstepProcess("demo", "--http", "0");
    await demo.said(/http:\/\/localhost:\d+/);
    demo.child.kill("SIGINT");
    const { code, stdout, stderr } = await demo.finished();
    expect(stdout).toBe("");
    expect(stderr).toMatch(/samples stored, 0 lost/);
    expect(code, stderr).toBe(0);
  },
  LIMIT_MS,
);
