import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FirmwareBoard } from "@lockstep/sim";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import type { ConfirmedRow } from "../conformance/raw-cloud.ts";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { type ImageKit, imageKit, offerWrong, wrongImages } from "../faults/wrong-images.ts";
import { refusedAtBegin, refusedAtEnd, type WrongImage, wrongOnTrial } from "../faults/wrong-modules.ts";
import { requires } from "../os-package.ts";
import { epochsOf, rotorFault } from "./rotor-rows.ts";
import { readControl, UpdatableExample, writeFactoryFlash } from "./updatable-made.ts";
import { imagePackage, modulePackage, relabelled } from "./update-package.ts";
import { PowerFailed, UpdatedBoard } from "./updated-board.ts";

const scratch = mkdtempSync(join(tmpdir(), "lockstep-update-"));
const wasm = readFileSync(DEVICE_WASM);
const lite = readFileSync(new URL("../../edge-sdk/build/device-lite.wasm", import.meta.url));
/** 1.0.0, and the patches after it. */
const FACTORY = 2 ** 24;
/** Short frames, so that a frame of the new epoch comes soon. */
const DEFINES = ["-DFRAME_SAMPLES=5", "-DRATE_HZ=20", "-DCONFIRM_MS=6000u"];
const LONG = { timeout: 170_000 };

afterAll(() => rmSync(scratch, { recursive: true }));

/** Start a board that is as a factory leaves it, for as long as a test runs. */
async function begin(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  on: FirmwareBoard,
  elf: string,
  body: Uint8Array,
): Promise<{ board: UpdatedBoard; flash: string }> {
  const flash = join(mkdtempSync(join(scratch, "flash-")), "flash.bin");
  writeFactoryFlash(flash, { board: on }, body, FACTORY);
  const board = await UpdatedBoard.start(on, elf, flash);
  onTestFinished(() => board.stop());
  return { board, flash };
}

/** What arrived is the rotor's signal from its start in every epoch, without a gap, within the bound. */
function expectRotor(rows: readonly ConfirmedRow[], epochs: number): void {
  expect(epochsOf(rows)).toBeGreaterThanOrEqual(epochs);
  expect(rotorFault(rows)).toBeNull();
}

/** The first of each verdict, and those that are named. */
function someOf(all: readonly WrongImage[], named: RegExp): WrongImage[] {
  const firsts = new Map(all.toReversed().map((wrong) => [wrong.verdict, wrong]));
  return all.filter((wrong) => firsts.get(wrong.verdict) === wrong || named.test(wrong.about));
}

/** @param isWhole  with all refusals and ways back; where programming flash is emulated word by word they take minutes */
function moduleSuite(on: FirmwareBoard, isWhole: boolean): void {
  describe(`a module on ${on}`, () => {
    let elf = "";
    beforeAll(() => {
      const folder = mkdtempSync(join(scratch, "made-"));
      elf = new UpdatableExample(folder).resident({ board: on, form: "module", defines: DEFINES });
    }, 120_000);

    /** Each is refused or gone back from by name, and the device streams on. */
    async function expectWrong(context: TestContext, wrong: readonly WrongImage[]): Promise<UpdatedBoard> {
      const { board } = await begin(context, on, elf, wasm);
      for (const each of wrong) expect(await offerWrong(board, each)).toBeNull();
      expect(board.gaps).toEqual([]);
      expectRotor(board.rows, 1);
      return board;
    }

    test.concurrent(
      "is replaced three times while the rotor streams, and what arrived is the rotor's, from every one of them",
      LONG,
      async (context) => {
        const { board, flash } = await begin(context, on, elf, wasm);
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

    if (isWhole) {
      test.concurrent(
        "is refused by name before anything is erased, in more than forty ways, and a good one is taken after them",
        LONG,
        async (context) => {
          const wrong = refusedAtBegin(wasm, FACTORY);
          expect(wrong.length).toBeGreaterThan(40);
          const board = await expectWrong(context, wrong);
          expect(board.boots).toBe(1);
          expect((await board.update(modulePackage(relabelled(wasm, "good"), FACTORY + 900))).verdict).toBeNull();
          expectRotor(board.rows, 2);
        },
      );

      test.concurrent(
        "is refused by name once it is whole, and the old one goes on in the same boot or the next",
        LONG,
        async (context) => {
          const all = await refusedAtEnd(wasm, lite, FACTORY);
          await expectWrong(context, someOf(all, /half of it/));
        },
      );

      test.concurrent(
        "that traps, hangs or gives up makes way for the old one, which streams on",
        LONG,
        async (context) => {
          const all = await wrongOnTrial(wasm, FACTORY);
          const board = await expectWrong(
            context,
            all.filter(({ about }) => /trap in sample 5|sample 5 without|status -7/.test(about)),
          );
          expect((await board.ask()).traps).toBe(3);
        },
      );

      test.concurrent("that is not confirmed, or called off, makes way for the old one", LONG, async (context) => {
        const all = await wrongOnTrial(wasm, FACTORY);
        await expectWrong(
          context,
          someOf(all, /^$/).filter(({ verdict }) => verdict !== "trapped"),
        );
      });
    }

    test.concurrent(
      "is there after QEMU was killed in the middle of its way, and the way goes on",
      LONG,
      async (context) => {
        const { board: first, flash } = await begin(context, on, elf, wasm);
        const given = modulePackage(relabelled(wasm, "two"), FACTORY + 1);
        let from = 0;
        await expect(
          first.update(given, {
            onState: ({ next }) => {
              from = next;
              if (next >= 9000) void first.stop();
            },
          }),
        ).rejects.toThrow(PowerFailed);
        const board = await UpdatedBoard.start(on, elf, flash);
        context.onTestFinished(() => board.stop());
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
      },
    );
  });
}

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("rotor-updatable on a Cortex-M4", () => {
  moduleSuite("mps2-an386", true);

  describe("an image", () => {
    const build = {
      board: "mps2-an386",
      form: "image",
      defines: [...DEFINES, "-DUPDATE_DEVICE_WATCHDOG_MS=1500u"],
    } as const;
    let kit: ImageKit;
    beforeAll(() => {
      kit = imageKit(mkdtempSync(join(scratch, "kit-")), build, wasm);
    }, 240_000);

    test.concurrent(
      "is replaced three times, from one slot to the other, and what arrived is the rotor's",
      LONG,
      async (context) => {
        const { images, loader, target } = kit;
        const { board, flash } = await begin(context, "mps2-an386", loader, images[0] ?? wasm);
        for (const n of [1, 2, 3]) {
          const slot = n % 2;
          const given = imagePackage(images[slot] ?? wasm, wasm, { slot, version: FACTORY + n, target });
          const { verdict, state } = await board.update(given);
          expect(verdict).toBeNull();
          expect(state.running).toMatchObject({ slot, form: "image", version: FACTORY + n });
        }
        expectRotor(board.rows, 4);
        expect(readControl(flash).violations).toBe(0);
      },
    );

    test.concurrent.for([
      ["refused by name", /refused|differs|digest|wrong|back/],
      ["gone back from", /watchdog|trapped|confirmed|aborted/],
    ] as const)("a wrong one is %s, and the old one streams on", LONG, async ([, verdicts], context) => {
      const { board } = await begin(context, "mps2-an386", kit.loader, kit.images[0] ?? wasm);
      const wrong = wrongImages(kit, FACTORY).filter(({ verdict }) => verdicts.test(verdict));
      expect(wrong.length).toBeGreaterThanOrEqual(5);
      for (const each of wrong) expect(await offerWrong(board, each)).toBeNull();
      expect((await board.ask()).running).toMatchObject({ slot: 0, version: FACTORY });
      expect(board.gaps).toEqual([]);
      expectRotor(board.rows, 1);
    });
  });
});

requires(
  "make",
  "gcc-riscv64-unknown-elf",
  "qemu-system-riscv32",
)("rotor-updatable on RV32 with flash", () => moduleSuite("riscv32-virt", false));
