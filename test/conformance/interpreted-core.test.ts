import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { BOARD_SUPPORT } from "./c-host-build.ts";
import { DEVICE_WASM } from "./raw-device.ts";

const TRANSLATOR = fileURLToPath(new URL("../../sim/qemu-wasm-runner/bin/compact-wasm2c.js", import.meta.url));
/** What only wasm2c's own header has: globals that are constants here, or that only a translator asks for. */
const CONSTANTS = ["CONFIG_BYTES", "MAX_CHANNEL_BYTES", "MAX_CHANNELS"];
const NOT_THERE = [...CONSTANTS, "TABLES_END", "decodes", "mtu", "stacked", "wide"];

/** Types of a function's result and parameters, by its name. */
function prototypes(header: string): Map<string, string> {
  const found = header.matchAll(/^(\w+ ?\*?) ?w2c_core_(\w+)\(w2c_core ?\*[^,)]*((?:,[^)]*)?)\);/gm);
  return new Map(
    [...found].map(([, result = "", name = "", params = ""]) => {
      const types = [...params.matchAll(/u32|u64/g)].map(([type]) => type);
      return [name, `${result.replaceAll(" ", "")}(${types.join(", ")})`];
    }),
  );
}

test("the core that is interpreted has the functions that wasm2c gives to device.wasm, of the same types", () => {
  const folder = mkdtempSync(join(tmpdir(), "interpreted-core-"));
  try {
    execFileSync(process.execPath, [
      TRANSLATOR,
      fileURLToPath(DEVICE_WASM),
      "-n",
      "core",
      "-o",
      join(folder, "core.c"),
    ]);
    const generated = prototypes(readFileSync(join(folder, "core.h"), "utf8"));
    for (const name of NOT_THERE) generated.delete(name);
    const ours = prototypes(readFileSync(join(BOARD_SUPPORT, "interpreted/core.h"), "utf8"));
    expect(ours.size).toBeGreaterThan(30);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(generated));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("it looks for every export by the words of the module's own type", () => {
  const source = readFileSync(join(BOARD_SUPPORT, "interpreted-core.c"), "utf8");
  const ours = prototypes(readFileSync(join(BOARD_SUPPORT, "interpreted/core.h"), "utf8"));
  const shapes = [...source.matchAll(/\{"(\w+)", (\d+), (\d)\}/g)];
  expect(shapes.length).toBe(25);
  for (const [, name = "", params, results] of shapes) {
    const type = ours.get(name) ?? "";
    const words = [...type.matchAll(/[(,] ?u(32|64)/g)].reduce((sum, [, bits]) => sum + Number(bits) / 32, 0);
    expect([name, words, type.startsWith("void") ? 0 : 1]).toEqual([name, Number(params), Number(results)]);
  }
});
