import { readFileSync } from "node:fs";
import type { BoardName } from "qemu-wasm-runner";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { runInNode, runOnBoard, type SignalResult } from "./bit-identity.ts";

/** Written down once, for wire version 1: what a frozen codec makes of these signals never changes. */
const GOLDEN = JSON.parse(readFileSync(new URL("bit-identity.json", import.meta.url), "utf8")) as SignalResult[];
const IN_NODE = runInNode();

const BOARD_TIMEOUT_MS = 180_000;
const BOARDS: readonly (readonly [BoardName, ...string[]])[] = [
  ["host", "c-compiler"],
  ["aarch64", "gcc-aarch64", "qemu-aarch64"],
  ["armhf", "gcc-armhf", "qemu-arm"],
  ["cortex-m0", "gcc-arm-none-eabi", "qemu-system-arm"],
  ["mps2-an385", "gcc-arm-none-eabi", "qemu-system-arm"],
  ["mps2-an386", "gcc-arm-none-eabi", "qemu-system-arm"],
  ["mps2-an500", "gcc-arm-none-eabi", "qemu-system-arm"],
  ["riscv32-virt", "gcc-riscv64-unknown-elf", "qemu-system-riscv32"],
];

test("Node's WebAssembly makes of three signals what is written down, and decodes them within their bounds", () => {
  expect(IN_NODE, `bit-identity.json for these: ${JSON.stringify(IN_NODE)}`).toEqual(GOLDEN);
  for (const { signal, unequalStates, overBound, maxError } of IN_NODE) {
    expect({ signal, unequalStates, overBound }).toEqual({ signal, unequalStates: 0, overBound: 0 });
    expect(maxError, signal).toBeGreaterThan(0);
  }
});

for (const [board, ...tools] of BOARDS) {
  requires(...tools)(`the board ${board}`, () => {
    test("payloads, states and decoded samples are those of Node, to the last bit", {
      timeout: BOARD_TIMEOUT_MS,
    }, async () => {
      expect(await runOnBoard(board)).toEqual(IN_NODE);
    });
  });
}
