import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock, tcpTransport } from "@lockstep/edge-sdk";
import { afterEach, expect, test, vi } from "vitest";
import type { UpdateAnswer } from "../api/schemas/update-schema.ts";
import { DEVICE_WASM, SeededRandom } from "../test-device.suite.ts";
import { DeviceStreams, LIMIT_MS } from "./device-streams.suite.ts";
import { otherModule, packageOf } from "./flash-rig.suite.ts";
import { ResidentDevice } from "./resident-device.suite.ts";
import { createKey } from "./signing-key.ts";
import { TrustFile } from "./trust-file.ts";

const TEST_LIMIT_MS = 120_000;
const LAUNCHER = fileURLToPath(new URL("../../bin/lockstep.js", import.meta.url));

interface Places {
  readonly http: string;
  readonly tcpPort: number;
}

let folder = "";
let child: ChildProcess | undefined;
let streams: DeviceStreams | undefined;

afterEach(async () => {
  await streams?.close();
  await kill();
  rmSync(folder, { recursive: true, force: true });
});

async function kill(): Promise<void> {
  if (child === undefined || child.signalCode !== null || child.exitCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** `lockstep serve`, on the ports that it had before. */
async function serve(store: string, before?: Places): Promise<Places> {
  const ports = [
    "--tcp",
    String(before?.tcpPort ?? 0),
    "--http",
    before === undefined ? "0" : new URL(before.http).port,
  ];
  const args = ["serve", "--json", "--log", "silent", "--mqtt-port", "0", "--store", store, ...ports];
  child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk);
    if (said.includes("\n")) break;
  }
  return JSON.parse(said) as Places;
}

test(
  "a node that is killed at every step of an update goes on with it; nothing confirmed is lost, all is within eps",
  async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-flash-kill-"));
    const store = join(folder, "store.db");
    const { key } = createKey("ed25519");
    await new TrustFile(store).add(key.trusted);
    const places = await serve(store);
    const device = await ResidentDevice.open({
      ...{ id: "pump", wasm: DEVICE_WASM, keys: [key.trusted], random: new SeededRandom(1) },
      ringFile: join(folder, "ring"),
      connect: () => {
        const [clock, random] = [systemClock(), new SeededRandom(2)];
        return tcpTransport({ url: `tcp://127.0.0.1:${places.tcpPort}`, clock, random });
      },
    });
    streams = new DeviceStreams();
    streams.add(device);
    const ask = async (path: string, init: RequestInit = {}) => {
      const url = `${places.http.replace("localhost", "127.0.0.1")}/api/v1${path}`;
      return (await (await fetch(url, init)).json()) as UpdateAnswer & { code?: string };
    };
    const headers = { "content-type": "application/octet-stream" };
    const body = new Uint8Array(packageOf(key, otherModule(1), 1));
    const begun = await vi.waitFor(
      async () => {
        const answer = await ask("/updates?to=pump", { method: "POST", body, headers });
        if (answer.code !== undefined) throw new RangeError(answer.code);
        return answer;
      },
      { timeout: LIMIT_MS, interval: 100 },
    );
    const stepOf = async () => (await ask(`/updates/${begun.id}`)).devices[0]?.step;
    for (const steps of ["sending", "verifying switching trying", "trying done"]) {
      const wanted = async () => expect(steps).toContain(await stepOf());
      await vi.waitFor(wanted, { timeout: 2 * LIMIT_MS, interval: 5 });
      await kill();
      await serve(store, places);
    }
    await vi.waitFor(async () => expect(await stepOf()).toBe("done"), { timeout: 2 * LIMIT_MS, interval: 50 });
    expect([device.booted?.version, device.confirmedVersion, device.boots]).toEqual([1, 1, 2]);
    expect(await streams.verify(store, "pump")).toBeLessThanOrEqual(1);
  },
  TEST_LIMIT_MS,
);
