import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { runInNode, runOnBoard, type SignalResult } from "./bit-identity.ts";
import { TESTED_BOARDS } from "./board-list.ts";

/** Written down once, for wire version 1: what a frozen codec makes of these signals never changes. */
const GOLDEN = JSON.parse(readFileSync(new URL("bit-identity.json", import.meta.url), "utf8")) as SignalResult[];
const IN_NODE = runInNode();

const BOARD_TIMEOUT_MS = 180_000;
/** The netduinoplus2 has the M4 of the mps2-an386. */
const BOARDS = TESTED_BOARDS.filter(({ board }) => board !== "netduinoplus2");

test("every kind of processor is among the boards", () => {
  expect(BOARDS.length).toBe(8);
});

test("Node's WebAssembly makes of three signals what is written down, and decodes them within their bounds", () => {
  expect(IN_NODE, `bit-identity.json for these: ${JSON.stringify(IN_NODE)}`).toEqual(GOLDEN);
  for (const { signal, unequalStates, overBound, maxError } of IN_NODE) {
    expect({ signal, unequalStates, overBound }).toEqual({ signal, unequalStates: 0, overBound: 0 });
    expect(maxError, signal).toBeGreaterThan(0);
  }
});

for (const { board, needs } of BOARDS) {
  requires(...needs)(`the board ${board}`, () => {
    test("payloads, states and decoded samples are those of Node, to the last bit", {
      timeout: BOARD_TIMEOUT_MS,
    }, async () => {
      expect(await runOnBoard(board)).toEqual(IN_NODE);
    });
  });
}
