import { fileURLToPath } from "node:url";
import { build, type Firmware, run } from "qemu-wasm-runner";
import { beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { TESTED_BOARDS } from "./board-list.ts";
import { CACHE_FOLDER, STRICT } from "./c-host-build.ts";
import { compileWat } from "./wat-module.ts";

const FEATURES = await compileWat("every-feature.wat");
const SOURCE = fileURLToPath(new URL("board-program.c", import.meta.url));

for (const { board, needs, isBare } of TESTED_BOARDS) {
  requires(...needs)(`a program of its own on the board ${board}`, () => {
    let firmware: Firmware;
    const say = (commands: string, counting = false) => run(firmware, { input: Buffer.from(commands), counting });

    beforeAll(async () => {
      const program = { sources: [SOURCE], flags: STRICT };
      firmware = await build(FEATURES, { board, cacheFolder: CACHE_FOLDER, memoryBytes: 256, program });
    }, 60_000);

    test("reads, writes, has a clock, and ends with its code", async () => {
      const { exitCode, trap, output } = await say("eaebn.mx");
      expect({ exitCode, trap }).toEqual({ exitCode: 7, trap: null });
      expect([...output]).toEqual([97, 98, 1, 0, 0, 0, 1]);
    });

    test("knows the module that it was built around", async () => {
      expect((await say("ix")).output.toString("hex")).toBe(firmware.moduleId);
    });

    test("a trap of the module ends it, and is told by its reason", async () => {
      expect(await say("eat")).toMatchObject({ exitCode: 103, trap: "divide-by-zero", output: Buffer.from("a") });
    });

    if (!isBare) {
      test("its input ends, and it is told so", async () => {
        expect(await say("ea")).toMatchObject({ exitCode: 9, output: Buffer.from("a") });
      });

      test("to count instructions is refused", async () => {
        await expect(say("x", true)).rejects.toMatchObject({ code: "not-counting", facts: { board } });
      });
      return;
    }

    test("counts a long loop to the last instruction, without those of the clock's interrupts", async () => {
      const { output } = await say("ccx", true);
      expect(numbers(output)).toEqual([2_000_000, 0, 2_000_000, 0]);
    });

    test("loses no byte of 200 that come while it is busy, and counts those that its ring has no room for", async () => {
      const sent = Buffer.from(Array.from({ length: 200 }, (_, i) => 1 + (i % 251)));
      for (const [ringBytes, kept] of [
        [256, 200],
        [64, 64],
      ] as const) {
        const heard = await run(firmware, {
          input: Buffer.concat([Buffer.from("h"), Buffer.of(ringBytes & 255, 200), sent]),
        });
        expect(heard).toMatchObject({ exitCode: 7, trap: null });
        expect(heard.output.readUInt32LE(0), `missed with a ring of ${ringBytes}`).toBe(200 - kept);
        expect(heard.output.subarray(4)).toEqual(sent.subarray(0, kept));
      }
    });

    test("knows how deep its stack was", async () => {
      const [before = 0, after = 0] = numbers((await say("sx")).output);
      expect(before).toBeGreaterThan(50);
      expect(after - before).toBeGreaterThan(1000);
      expect(after).toBeGreaterThan(20 * 96);
      expect(after).toBeLessThan(firmware.sizes?.stackBytes ?? 0);
    });

    test("an address that is not there, and a stack that runs out, end it with a reason", async () => {
      expect(await say("f")).toMatchObject({ trap: "fault" });
      expect(await say("o")).toMatchObject({ trap: "stack-overflow" });
    });

    test("its sizes are those of its parts, and nothing of the module is counted twice", () => {
      const { flashBytes = 0, ramBytes = 0, stackBytes, parts } = firmware.sizes ?? {};
      const all = Object.values(parts ?? {});
      const flash = all.reduce((sum, part) => sum + part.codeBytes + part.constantBytes + part.dataBytes, 0);
      const ram = all.reduce((sum, part) => sum + part.dataBytes + part.zeroedBytes, stackBytes ?? 0);
      expect(flashBytes - flash).toBeGreaterThanOrEqual(0);
      expect(flashBytes - flash).toBeLessThan(64);
      expect(ramBytes - ram).toBeGreaterThanOrEqual(0);
      expect(ramBytes - ram).toBeLessThan(64);
      expect(parts?.module.codeBytes).toBeGreaterThan(50);
      expect(parts?.program.zeroedBytes).toBeGreaterThanOrEqual(256);
      expect(parts?.board.codeBytes).toBeGreaterThan(300);
    });

    test("arguments are refused: nobody could read them", async () => {
      await expect(run(firmware, { args: ["a"] })).rejects.toMatchObject({ code: "wrong-arguments" });
    });
  });
}

for (const { board, needs } of TESTED_BOARDS) {
  requires(...needs)(`a module on the board ${board} whose memory lies in its instance`, () => {
    const program = { sources: [SOURCE], flags: STRICT };
    const inside = { board, cacheFolder: CACHE_FOLDER, memoryBytes: 128, memoryPlace: "inside", program } as const;

    test("has its data there, ends where it was told, and is started as often as is liked", async () => {
      const firmware = await build(FEATURES, inside);
      const [hell, later] = numbers((await run(firmware, { input: Buffer.from("l\x10l\x14x") })).output);
      expect([hell, later]).toEqual([Buffer.from("hell").readUInt32LE(), 0x6f]);
      expect(await run(firmware, { input: Buffer.from("l\x7cx") })).toMatchObject({ exitCode: 7 });
      expect(await run(firmware, { input: Buffer.from("l\x7dx") })).toMatchObject({ trap: "out-of-bounds" });
    });

    test("takes no other memory: what lends it a pointer is stopped, and else it is not", async () => {
      const input = Buffer.from("pl\x10x");
      expect(await run(await build(FEATURES, inside), { input })).toMatchObject({ trap: "not-lent" });
      const lent = await build(FEATURES, { ...inside, memoryPlace: "lent" });
      expect(await run(lent, { input })).toMatchObject({ trap: null, output: Buffer.from("hell") });
    });

    test("is refused where calls come from outside: those lend it its memory", async () => {
      const { program: _, ...called } = inside;
      await expect(build(FEATURES, called)).rejects.toMatchObject({ code: "wrong-arguments" });
    });
  });
}

for (const { board, needs } of TESTED_BOARDS.filter((one) => ["mps2-an386", "riscv32-virt"].includes(one.board))) {
  requires(...needs)(`the stack of a program on the board ${board}`, () => {
    test("is as large as was asked for, and ends there", async () => {
      const program = { sources: [SOURCE], flags: STRICT };
      const options = { board, cacheFolder: CACHE_FOLDER, memoryBytes: 256, program };
      const small = await build(FEATURES, { ...options, stackBytes: 1024 });
      expect(small.sizes?.stackBytes).toBe(1024);
      expect(await run(small, { input: Buffer.from("s") })).toMatchObject({ trap: "stack-overflow" });
      await expect(build(FEATURES, { ...options, stackBytes: 1001 })).rejects.toMatchObject({
        code: "wrong-arguments",
      });
    });
  });
}

function numbers(output: Buffer): number[] {
  return Array.from({ length: output.length / 4 }, (_, i) => output.readUInt32LE(4 * i));
}
