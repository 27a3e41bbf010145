import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileDeviceModule, Loopback, systemClock } from "@lockstep/edge-sdk";
import { ModuleError } from "@lockstep/edge-sdk/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openHistory } from "./history/history.ts";
import { SILENT_LOGGER } from "./logger.ts";
import { CloudNode } from "./node.ts";
import { DEVICE_WASM, openDevice, SeededRandom, signal } from "./test-device.suite.ts";

const LIMIT_MS = 20_000;
/** Another codec, as another build would have it: a number at the end of its tables differs by one. */
const OTHER_WASM = DEVICE_WASM.map((byte, at) => (at === DEVICE_WASM.length - 2 ? byte ^ 1 : byte));

let folder = "";
let node: CloudNode | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-modules-"));
});

afterEach(async () => {
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
});

async function open(modules: readonly Uint8Array[]): Promise<CloudNode> {
  const storeFile = join(folder, "store.db");
  node = await CloudNode.open({ storeFile, broker: null, modules, logger: SILENT_LOGGER, clock: systemClock() });
  return node;
}

async function openOther(cloud: CloudNode) {
  const loopback = new Loopback();
  cloud.attach(loopback);
  const random = new SeededRandom(5);
  const module = compileDeviceModule(OTHER_WASM);
  return await openDevice({ device: "other", transport: loopback.transport, random, module });
}

test("a device of another build is refused until an operator registers its module, and then known for good", async () => {
  const strict = await open([]);
  const refused = await openOther(strict);
  await vi.waitFor(() => expect(refused.stats().refusal).toBe(2), LIMIT_MS);
  await refused.destroy();
  await strict.close();

  const told = await open([OTHER_WASM]);
  const device = await openOther(told);
  for (let n = 0; n < 100; n++) device.push(signal(new SeededRandom(n), n));
  device.flush();
  expect(await device.drained(LIMIT_MS)).toBe(true);
  await device.close();
  await told.close();

  const later = await open([]);
  expect(later.device("other")).toMatchObject({ confirmed: { samples: 100 } });
  await later.close();
  const history = await openHistory(join(folder, "store.db"));
  expect([...history.samples("other")]).toHaveLength(100);
  history.close();
});

test("what may not run as a codec is not registered, and the node does not start with it", async () => {
  await expect(open([Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0])])).rejects.toThrow(ModuleError);
});
