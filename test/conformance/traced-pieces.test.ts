import { fileURLToPath } from "node:url";
import { type BoardName, build, cycleBoundOfRun, type Firmware } from "qemu-wasm-runner";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { CACHE_FOLDER, STRICT } from "./c-host-build.ts";
import { compileWat } from "./wat-module.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const MARKS = { begins: ["piece_begins", "inner"], end: "piece_ends" };
const DIVISION_CYCLES = 12;

async function buildPieces(board: BoardName, support: "apart" | "along"): Promise<Firmware> {
  const [around, other] = [here("traced-pieces.c"), here("traced-pieces-support.c")];
  const program = {
    ...(support === "apart"
      ? { sources: [around], supportSources: [other] }
      : { sources: [around, other], supportSources: [] }),
    includes: [here(".")],
    flags: STRICT,
  };
  return build(await compileWat("every-feature.wat"), { board, cacheFolder: CACHE_FOLDER, program });
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("a traced program of one's own", () => {
  test("a piece costs its instructions, each the most that the table gives it, whatever its marks cost", async () => {
    const firmware = await buildPieces("mps2-an386", "apart");
    const [short, long, dividing, ...more] = await cycleBoundOfRun(firmware, MARKS, { input: Uint8Array.of(0) });
    expect(more).toEqual([]);
    // Nothing but the call of the end may stand beside the ten.
    expect(short).toEqual({ instructions: 10, cycles: 10 });
    expect(long).toEqual({ instructions: 30, cycles: 30 });
    expect(dividing).toEqual({ instructions: 34, cycles: 30 + 4 * DIVISION_CYCLES });
  });

  test("a mark that is not there, and a program that does not end well, are refused", async () => {
    const firmware = await buildPieces("mps2-an386", "apart");
    const unknown = cycleBoundOfRun(firmware, { ...MARKS, end: "nowhere" }, { input: Uint8Array.of(0) });
    await expect(unknown).rejects.toMatchObject({ code: "bad-trace", facts: { mark: "nowhere" } });
    const failing = cycleBoundOfRun(firmware, MARKS, { input: Uint8Array.of(9) });
    await expect(failing).rejects.toMatchObject({ code: "bad-trace", facts: { exitCode: 9 } });
  });

  test("sources that the program stands on are counted with the run time", async () => {
    const apart = (await buildPieces("mps2-an386", "apart")).sizes?.parts;
    const along = (await buildPieces("mps2-an386", "along")).sizes?.parts;
    if (!apart || !along) return expect.fail("no map");
    const moved = apart.runtime.codeBytes - along.runtime.codeBytes;
    expect(moved).toBeGreaterThan(0);
    expect(along.program.codeBytes - apart.program.codeBytes).toBe(moved);
    expect(apart.runtime.zeroedBytes - along.runtime.zeroedBytes).toBe(4);
    expect(apart.module).toEqual(along.module);
  });
});

test("a board without a table of cycles is refused before anything runs", async () => {
  // Only its name is looked at.
  const firmware = { board: "host" } as Firmware;
  const refused = cycleBoundOfRun(firmware, MARKS);
  await expect(refused).rejects.toMatchObject({ code: "not-counting", facts: { board: "host" } });
});
