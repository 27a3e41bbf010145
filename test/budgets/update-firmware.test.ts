import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "qemu-wasm-runner";
import { expect, test } from "vitest";
import { CACHE_FOLDER } from "../conformance/c-host-build.ts";
import { requires } from "../os-package.ts";

const WASM = readFileSync(new URL("../../edge-sdk/build/update.wasm", import.meta.url));
/** On a Cortex-M4, made small, accesses unchecked: what was measured, and 2 %. The cryptography is some 5,100 of it. */
const FLASH_BYTES = 9_840;
/** Of linear memory: 512 for a message, 800 for the cryptography, and the rest. */
const MEMORY_BYTES = 2_376;
/** Of globals, which the instance holds beside it. */
const GLOBALS = 40;

requires("gcc-arm-none-eabi")("the update machine on a Cortex-M4", () => {
  test("keeps to its budget of flash, cryptography and all", { timeout: 120_000 }, async () => {
    const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
    const program = {
      sources: [here("../conformance/update-core-check.c")],
      includes: [here("../../edge-sdk/include"), here("../conformance/update-as-core")],
    };
    const options = { board: "mps2-an386", cacheFolder: CACHE_FOLDER, optimize: "size", checks: "none" } as const;
    const { sizes } = await build(WASM, { ...options, memoryBytes: 2560, memoryPlace: "inside", program });
    const { codeBytes = 0, constantBytes = 0 } = sizes?.parts?.module ?? {};
    expect(codeBytes).toBeGreaterThan(5000);
    expect(codeBytes + constantBytes).toBeLessThanOrEqual(FLASH_BYTES);
  });
});

test("the update machine keeps to its budget of memory", () => {
  const { UPDATE_MEMORY_BYTES } = new WebAssembly.Instance(new WebAssembly.Module(WASM)).exports;
  expect((UPDATE_MEMORY_BYTES as WebAssembly.Global).value).toBeLessThanOrEqual(MEMORY_BYTES);
  expect(countOf(6)).toBeLessThanOrEqual(GLOBALS);
});

/** Items of a section of the module: globals are section 6. */
function countOf(section: number): number {
  for (let at = 8; at < WASM.length; ) {
    const id = WASM[at] ?? 0;
    const [bytes, start] = number(at + 1);
    if (id === section) return number(start)[0];
    at = start + bytes;
  }
  return 0;
}

/** An unsigned number, and where what follows it begins. */
function number(from: number): [value: number, end: number] {
  let value = 0;
  for (let at = from, shift = 0; ; at++, shift += 7) {
    const byte = WASM[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
}
