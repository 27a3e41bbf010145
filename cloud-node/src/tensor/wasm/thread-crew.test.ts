import { describe, expect, test } from "vitest";
import type { PartCall } from "../part-calls.ts";
import { transformerCase } from "../tensor-cases.suite.ts";
import { type ArenaLayout, layOutArena, reserveMemory } from "./arena-layout.ts";
import { compileTensorModule } from "./tensor-module.ts";
import { ThreadCrew } from "./thread-crew.ts";
import { WasmArena } from "./wasm-arena.ts";
import { needsOf } from "./wasm-backend.ts";

const SHARDS = 3;
const { program } = transformerCase(1);
const module = compileTensorModule("wasm-strict");
const layout = layOutArena(program, needsOf(module), SHARDS);

describe("a crew of threads", () => {
  test("runs the calls of a part in order, wherever, and gives the results of all", async () => {
    const { crew, first } = await start(3);
    const at = (offset: number) => first.address("gradient", offset);
    for (let part = 0; part < 5; part++) first.numbers("gradient", 16 * part, 3).set([part, 2, 0]);
    const calls = [0, 1, 2, 3, 4].flatMap((part): PartCall[] => [
      { part, kernel: "copy", args: [at(16 * part + 2), at(16 * part), 1, 1] },
      { part, kernel: "sumOfSquares", args: [at(16 * part), 3] },
    ]);
    const squares = [0, 1, 2, 3, 4].flatMap((part) => [0, 2 * part ** 2 + 4]);
    expect(Array.from(await crew.callParts(calls))).toEqual(squares);
    expect(Array.from(await crew.callParts(calls.slice(1, 2)))).toEqual([4]);
    crew.close();
  });

  test("says that a thread left its memory, and says it again", async () => {
    const far = { ...layout.sections[1], work: 2 ** 31, gradient: 2 ** 31 } as ArenaLayout["sections"][number];
    const { crew } = await start(2, { ...layout, sections: layout.sections.with(1, far) });
    await expect(crew.run("forward")).rejects.toMatchObject({ code: "thread-failed" });
    await expect(crew.run("forward")).rejects.toMatchObject({ code: "thread-failed" });
    crew.close();
  });

  test("does not start where a thread has no shard", async () => {
    const starting = start(3, { ...layout, workAreas: layout.workAreas.slice(0, 2) });
    await expect(starting).rejects.toMatchObject({ code: "thread-failed" });
  });
});

/** @param threadLayout  what the other threads are told */
async function start(threads: number, threadLayout = layout) {
  const memory = reserveMemory(layout);
  const arenas = Array.from({ length: SHARDS }, (_, shard) => new WasmArena(module, memory, layout, shard));
  const [first, ...others] = arenas as [WasmArena, ...WasmArena[]];
  const crew = await ThreadCrew.start(
    { program, module, memory, layout: threadLayout },
    [first, ...others],
    threads,
    10,
  );
  return { crew, first };
}
