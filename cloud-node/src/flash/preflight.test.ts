import type { FlashStateFrame } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { DEVICE_WASM } from "../test-device.suite.ts";
import { packageOf } from "./flash-rig.suite.ts";
import { checkDevice } from "./preflight.ts";
import { createKey } from "./signing-key.ts";
import { decodePackages } from "./update-package.ts";

const { key } = createKey("ed25519");
const VERSION = 0x01020000;
const [image] = decodePackages(packageOf(key, DEVICE_WASM, VERSION, { form: "image", target: "board", slot: 1 }));
const MODEL = image?.manifest.model ?? "";

function stateOf(running: Partial<FlashStateFrame["running"]>): FlashStateFrame {
  return {
    ...{ kind: "flash", op: "state", nonce: 1, sid: 0, phase: "idle", next: 0, verdict: 0, detail: 0 },
    running: { slot: 0, form: "image", version: VERSION, model: MODEL, ...running },
    ...{ confirmedVersion: VERSION, slotBytes: 65_536, chunkBytes: 256, target: "board", abi: 1 },
    ...{ keys: [{ algorithm: key.trusted.algorithm, id: key.trusted.id }], traps: 0, stackHighWater: 0 },
  };
}

function checkOf(state: FlashStateFrame) {
  if (image === undefined) throw new RangeError("no package");
  const boot = { isOnline: true, epoch: 1, model: MODEL, confirmed: 0 };
  return checkDevice("pump", [image], boot, state, false);
}

test("an image with the model of a module that runs is other bytes of that version: refused by name", () => {
  const { isCurrent, refusals } = checkOf(stateOf({ form: "module" }));
  expect([isCurrent, refusals.map(({ code }) => code)]).toEqual([false, ["version-goes-back"]]);
  expect(refusals[0]?.text).toContain("1.2.0 with other bytes: give a higher --version");
});

test("an image of the version, form and model that run counts as running: a device says no more of it", () => {
  expect(checkOf(stateOf({}))).toMatchObject({ isCurrent: true, refusals: [] });
});
