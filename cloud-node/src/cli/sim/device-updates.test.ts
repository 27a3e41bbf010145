import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CommandError } from "../command-error.ts";
import type { DeviceOptions } from "./device-options.ts";
import { updatesFor } from "./device-updates.ts";

const LINE = `ed25519:${Buffer.alloc(32, 7).toString("base64url")}\n`;
const OPTIONS: DeviceOptions = { group: "g", frameSamples: 1, silence: 1, profile: "full", lookahead: "none", seed: 1 };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-trust-"));
  file = join(folder, "release.key.pub");
});

afterEach(() => rmSync(folder, { recursive: true }));

test("devices that trust nobody are not updated", () => {
  expect(updatesFor(OPTIONS)).toBeUndefined();
});

test("devices that trust a key run this release's module until somebody replaces it", () => {
  writeFileSync(file, LINE);
  const updates = updatesFor({ ...OPTIONS, trust: file });
  expect(updates?.keys).toEqual([{ algorithm: "ed25519", bytes: new Uint8Array(32).fill(7) }]);
  expect(updates?.builtIn.wasm.length).toBeGreaterThan(10_000);
  expect(updates?.builtIn.version).toBeGreaterThan(0);
  expect(updates?.machine.length).toBeGreaterThan(1000);
});

test.for<[string, string | undefined, Partial<DeviceOptions>, RegExp]>([
  ["a file that is not there", undefined, {}, /^--trust .*release\.key\.pub: ENOENT.*: give the file that/],
  ["a file without a key", "# nothing\n", {}, /it is empty/],
  ["a line that is none", `${LINE}rsa:abc\n`, {}, /line 2 of .* is no key/],
  ["more keys than a device keeps", LINE.repeat(5), {}, /it has 5 keys/],
  ["a gateway", LINE, { lookahead: "greedy" }, /^--trust with --lookahead: a gateway cannot be updated/],
])("%s is refused as wrong usage, with what to do", ([, text, change, message]) => {
  if (text !== undefined) writeFileSync(file, text);
  const failing = () => updatesFor({ ...OPTIONS, trust: file, ...change });
  expect(failing).toThrow(CommandError);
  expect(failing).toThrow(message);
});
