import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FirmwareBoard, rotorTwinSignal } from "@lockstep/sim";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ConfirmedRow } from "../conformance/raw-cloud.ts";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { requires } from "../os-package.ts";
import { spoiltAfter } from "./bad-modules.ts";
import { readControl, UpdatableExample, writeFactoryFlash } from "./updatable-made.ts";
import { imagePackage, modulePackage, relabelled } from "./update-package.ts";
import { UpdatedBoard } from "./updated-board.ts";

const scratch = mkdtempSync(join(tmpdir(), "lockstep-update-"));
const wasm = readFileSync(DEVICE_WASM);
/** 1.0.0, and the patches after it. */
const FACTORY = 2 ** 24;
/** Short frames, so that a frame of the new epoch comes soon. */
const DEFINES = ["-DFRAME_SAMPLES=10", "-DRATE_HZ=20"];
/** 32 units of 2^-15. */
const EPS = 32 * 2 ** -15;
const CHANNELS = 6;
const LONG = { timeout: 120_000 };
const NEVER = Number.POSITIVE_INFINITY;
const VERDICTS = {
  badSignature: 3,
  goesBack: 4,
  wrongTarget: 5,
  wrongAbi: 6,
  wrongSlot: 7,
  tooMuchMemory: 9,
  refused: 13,
};
const LATER = { differs: 14, trapped: 15, watchdog: 16, unconfirmed: 17 };

let board: UpdatedBoard | undefined;
afterEach(async () => {
  await board?.stop();
  board = undefined;
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Start a board that is as a factory leaves it. */
async function begin(
  on: FirmwareBoard,
  elf: string,
  body: Uint8Array,
): Promise<{ board: UpdatedBoard; flash: string }> {
  const flash = join(mkdtempSync(join(scratch, "flash-")), "flash.bin");
  writeFactoryFlash(flash, { board: on }, body, FACTORY);
  board = await UpdatedBoard.start(on, elf, flash);
  return { board, flash };
}

/** What arrived is the rotor's signal from its start in every epoch, without a gap, within the bound. */
function expectRotor(rows: readonly ConfirmedRow[], epochs: number): void {
  expect(new Set(rows.map(({ epoch }) => epoch)).size).toBeGreaterThanOrEqual(epochs);
  const readers = new Map<number, ReturnType<ReturnType<typeof rotorTwinSignal>["read"]>>();
  const measured = new Float64Array(CHANNELS);
  for (const [i, { epoch, samples }] of rows.entries()) {
    const reader = readers.get(epoch) ?? rotorTwinSignal().read();
    readers.set(epoch, reader);
    reader.next(measured);
    for (const [c, x] of measured.entries()) {
      const error = Math.abs((samples[c] ?? Number.NaN) * 2 ** -15 - x);
      if (!(error <= EPS)) expect.fail(`row ${i} of epoch ${epoch}, channel ${c}: off by ${error}`);
    }
  }
}

/** @param isWhole  with all refusals and ways back; where programming flash is emulated word by word they take minutes */
function moduleSuite(on: FirmwareBoard, isWhole: boolean): void {
  describe(`a module on ${on}`, () => {
    let elf = "";
    beforeAll(() => {
      const folder = mkdtempSync(join(scratch, "made-"));
      elf = new UpdatableExample(folder).resident({
        board: on,
        form: "module",
        defines: [...DEFINES, "-DCONFIRM_MS=6000u"],
      });
    }, 120_000);

    test(
      "is replaced three times while the rotor streams, and what arrived is the rotor's, from every one of them",
      LONG,
      async () => {
        const { board, flash } = await begin(on, elf, wasm);
        for (const n of [1, 2, 3]) {
          const { verdict, state } = await board.update(modulePackage(relabelled(wasm, `number ${n}`), FACTORY + n));
          expect(verdict).toBeNull();
          expect(state.running).toMatchObject({ slot: n % 2, form: "module", version: FACTORY + n });
          expect(state.confirmedVersion).toBe(FACTORY + n);
          expect(state.stackHighWater).toBeGreaterThan(200);
        }
        expectRotor(board.rows, 4);
        if (on === "mps2-an386") expect(readControl(flash).violations).toBe(0);
      },
    );

    if (isWhole)
      test(
        "is refused by name before anything is run, and the old one goes on in the same boot or the next",
        LONG,
        async () => {
          const { board } = await begin(on, elf, wasm);
          const better = relabelled(wasm, "better");
          const changed = (at: number) => better.map((byte, i) => (i === at ? byte ^ 1 : byte));
          const good = modulePackage(better, FACTORY + 9);
          const cases = [
            [
              { ...good, signature: good.signature.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) },
              VERDICTS.badSignature,
            ],
            [modulePackage(better, FACTORY - 1), VERDICTS.goesBack],
            [modulePackage(better, FACTORY + 1, { target: "toaster" }), VERDICTS.wrongTarget],
            [modulePackage(better, FACTORY + 1, { abi: 2 }), VERDICTS.wrongAbi],
            [modulePackage(better, FACTORY + 1, { memoryBytes: 1e6 }), VERDICTS.tooMuchMemory],
            [modulePackage(better.subarray(0, 9000), FACTORY + 1, { test: TEST }), VERDICTS.refused],
            [modulePackage(changed(better.length - 1).subarray(0, 8), FACTORY + 1, { test: TEST }), VERDICTS.refused],
            [modulePackage(better, FACTORY + 1, { test: TEST }), LATER.differs],
          ] as const;
          for (const [given, verdict] of cases) {
            expect((await board.update(given)).verdict, `verdict ${verdict}`).toBe(verdict);
          }
          expect((await board.ask()).running).toMatchObject({ slot: 0, version: FACTORY });
          expect((await board.update(good)).verdict).toBeNull();
          expectRotor(board.rows, 2);
        },
      );

    if (isWhole)
      test(
        "that traps, hangs, gives up, or is not confirmed makes way for the old one, which streams on",
        LONG,
        async () => {
          const { board } = await begin(on, elf, wasm);
          const cases = [
            [await spoiltAfter(wasm, 5, "unreachable"), 1, LATER.trapped],
            [await spoiltAfter(wasm, 5, "loop br 0 end"), 1, LATER.trapped],
            [await spoiltAfter(wasm, 5, "i32.const -7 return"), 1, LATER.trapped],
            [relabelled(wasm, "unloved"), NEVER, LATER.unconfirmed],
          ] as const;
          for (const [n, [body, confirmAfter, verdict]] of cases.entries()) {
            const outcome = await board.update(modulePackage(body, FACTORY + 1 + n), { confirmAfter });
            expect(outcome.verdict).toBe(verdict);
            expect(outcome.state.running).toMatchObject({ slot: 0, version: FACTORY });
          }
          expect((await board.ask()).traps).toBe(3);
          const { length } = board.rows;
          await board.until(() => board.rows.length > length, "streaming again");
          expectRotor(board.rows, 1);
        },
      );

    test("is there after QEMU was killed in the middle of its way, and the way goes on", LONG, async () => {
      const { board: first, flash } = await begin(on, elf, wasm);
      const given = modulePackage(relabelled(wasm, "two"), FACTORY + 1);
      let from = 0;
      await expect(
        first.update(given, {
          patience: 0,
          onState: ({ next }) => {
            from = next;
            if (next >= 9000) void first.stop();
          },
        }),
      ).rejects.toThrow("no answer");
      board = await UpdatedBoard.start(on, elf, flash);
      let resumedAt = 0;
      const { verdict } = await board.update(given, {
        onState: ({ phase, next }) => {
          if (phase === "receiving" && resumedAt === 0) resumedAt = next;
        },
      });
      expect(verdict).toBeNull();
      expect(from).toBeGreaterThanOrEqual(9000);
      // On a chip of large sectors the sector that was being written is the only one.
      if (on === "mps2-an386") expect(resumedAt).toBeGreaterThan(from - 4096 - 512);
    });
  });
}

/** A self-test that no module passes. */
const TEST = { channels: 2, samples: 24, seed: 77, digest: "00".repeat(32) };

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("rotor-updatable on a Cortex-M4", () => {
  moduleSuite("mps2-an386", true);

  describe("an image", () => {
    const target = "mps2-an386/rotor-updatable";
    const build = { board: "mps2-an386", form: "image" } as const;
    let example: UpdatableExample;
    let loader = "";
    let images: Uint8Array[] = [];
    beforeAll(() => {
      example = new UpdatableExample(mkdtempSync(join(scratch, "made-")));
      const defines = [...DEFINES, "-DUPDATE_DEVICE_WATCHDOG_MS=1500u", "-DCONFIRM_MS=6000u"];
      loader = example.resident({ ...build, defines });
      images = [0, 1].map((slot) => example.image({ ...build, defines }, slot));
    }, 240_000);

    test("is replaced three times, from one slot to the other, and what arrived is the rotor's", LONG, async () => {
      const { board, flash } = await begin("mps2-an386", loader, images[0] ?? wasm);
      for (const n of [1, 2, 3]) {
        const slot = n % 2;
        const given = imagePackage(images[slot] ?? wasm, wasm, { slot, version: FACTORY + n, target });
        const { verdict, state } = await board.update(given);
        expect(verdict).toBeNull();
        expect(state.running).toMatchObject({ slot, form: "image", version: FACTORY + n });
      }
      expectRotor(board.rows, 4);
      expect(readControl(flash).violations).toBe(0);
    });

    test(
      "for the slot that runs, one that is linked for it, one that fails its test, and some that hang are refused or go back",
      LONG,
      async () => {
        const { board } = await begin("mps2-an386", loader, images[0] ?? wasm);
        const [own = wasm, other = wasm] = images;
        const package1 = (body: Uint8Array, changes = {}) =>
          imagePackage(body, wasm, { slot: 1, version: FACTORY + 1, target }, changes);
        const wrongSlot = imagePackage(own, wasm, { slot: 0, version: FACTORY + 1, target });
        expect((await board.update(wrongSlot)).verdict).toBe(VERDICTS.wrongSlot);
        expect((await board.update(package1(own))).verdict, "linked for the other slot").toBe(VERDICTS.refused);
        expect((await board.update(package1(other, { test: TEST }))).verdict).toBe(LATER.differs);
        const at = "void rotor_sample(uint32_t t, int32_t *samples) {";
        const defines = [...DEFINES, "-DUPDATE_DEVICE_WATCHDOG_MS=1500u"];
        const hangs = [
          ["../rotor-twin/rotor.c", at, `${at}\n  volatile uint32_t now = t;\n  while (now >= 30) {\n  }`],
          ["image-main.c", "  board_start();", "  while (area != NULL) {\n  }\n  board_start();"],
        ] as const;
        for (const [name, from, to] of hangs) {
          const hung = new UpdatableExample(mkdtempSync(join(scratch, "hung-")));
          hung.change(name, from, to);
          const body = hung.image({ ...build, defines }, 1);
          const outcome = await board.update(package1(body), { confirmAfter: NEVER });
          expect(outcome.verdict, name).toBe(LATER.watchdog);
          expect(outcome.state.running).toMatchObject({ slot: 0, version: FACTORY });
        }
        const { length } = board.rows;
        await board.until(() => board.rows.length > length, "streaming again");
        expectRotor(board.rows, 1);
      },
    );
  });
});

requires(
  "make",
  "gcc-riscv64-unknown-elf",
  "qemu-system-riscv32",
)("rotor-updatable on RV32 with flash", () => moduleSuite("riscv32-virt", false));
