import { fileURLToPath } from "node:url";
import { rotorTwinSignal } from "@lockstep/sim";
import { build, run } from "qemu-wasm-runner";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { TESTED_BOARDS } from "./board-list.ts";
import { CACHE_FOLDER, STRICT } from "./c-host-build.ts";

/** Several turns of the phase's 16 bits, and every point of the sine's table. */
const SAMPLES = 5_000;
const CHANNELS = 6;
const EMPTY = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const ROTOR = fileURLToPath(new URL("../../firmware-examples/rotor-twin/", import.meta.url));
const PROGRAM = {
  sources: [`${ROTOR}rotor.c`, fileURLToPath(new URL("rotor-twin.c", import.meta.url))],
  includes: [ROTOR],
  flags: STRICT,
};

for (const { board, needs } of TESTED_BOARDS.filter((one) =>
  ["host", "cortex-m0", "riscv32-virt"].includes(one.board),
)) {
  requires(...needs)(`the rotor of firmware-examples on ${board}`, () => {
    test("measures what the signal of the same name says, sample for sample", async () => {
      const firmware = await build(EMPTY, { board, cacheFolder: CACHE_FOLDER, program: PROGRAM });
      const count = Buffer.alloc(4);
      count.writeUInt32LE(SAMPLES);
      const { output, exitCode } = await run(firmware, { input: count });
      expect([exitCode, output.length]).toEqual([0, SAMPLES * CHANNELS * 4]);
      const reader = rotorTwinSignal().read();
      const expected = new Float64Array(CHANNELS);
      for (let t = 0; t < SAMPLES; t += 1) {
        reader.next(expected);
        const measured = Array.from(expected, (_, c) => output.readInt32LE(4 * (t * CHANNELS + c)) * 2 ** -15);
        expect(measured, `sample ${t}`).toEqual([...expected]);
      }
    });
  });
}
