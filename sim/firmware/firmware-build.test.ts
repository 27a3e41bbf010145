import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import { buildFirmware } from "./firmware-build.ts";
import { FirmwareDevice } from "./firmware-device.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-firmware-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const PLAN = { example: "rotor-twin", board: "mps2-an386", name: "r", sources: ["main.c", "rotor.c"] } as const;

test("firmware that is not in this installation is refused, with what to do about it", async () => {
  const refused = buildFirmware({ ...PLAN, example: "absent", cacheFolder: folder });
  await expect(refused).rejects.toMatchObject({ code: "no-sources", facts: { firmware: "absent" } });
  await expect(refused).rejects.toThrow(/npm package has none; clone the repository/);
});

test("without compiler and QEMU on the path both are named, with the line that installs them", async () => {
  vi.stubEnv("PATH", folder);
  const refused = buildFirmware({ ...PLAN, cacheFolder: folder });
  await expect(refused).rejects.toMatchObject({ code: "missing-tool", facts: { board: "mps2-an386" } });
  await expect(refused).rejects.toThrow(/gcc-arm-none-eabi and qemu-system-arm.*apt-get install .*qemu-system-arm/);
});

test("a folder whose path is too long for a socket is refused before anything is built", async () => {
  const device = new FirmwareDevice({
    ...{ id: "r", firmware: "rotor-twin", board: "mps2-an386", rateHz: 100, keepsRing: false },
    ...{ folder, cacheFolder: folder, linePath: join(folder, "x".repeat(100)) },
    ...{ random: seededRandom(1), clock: systemClock(), onEnd: () => {} },
  });
  await expect(device.prepare()).rejects.toMatchObject({ code: "path-too-long", facts: { most: "103" } });
});
