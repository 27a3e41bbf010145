import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FLASH_VERDICTS } from "@lockstep/protocol";
import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { requires } from "../os-package.ts";
import { spoiltAfter } from "./bad-modules.ts";
import { rotorFault } from "./rotor-rows.ts";
import { UpdatableExample, writeFactoryFlash } from "./updatable-made.ts";
import { modulePackage, relabelled } from "./update-package.ts";
import { UpdatedBoard } from "./updated-board.ts";

const scratch = mkdtempSync(join(tmpdir(), "lockstep-switch-"));
const wasm = readFileSync(DEVICE_WASM);
const BOARD = "mps2-an386";
/** 1.0.0. */
const FACTORY = 2 ** 24;
const FRAME_SAMPLES = 10;
const LONG = { timeout: 120_000 };
/** States on trial before it is called off: four tenths of a second each. */
const TRYING_STATES = 8;

afterAll(() => rmSync(scratch, { recursive: true }));

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("frames of a module that is left", () => {
  let elf = "";
  beforeAll(() => {
    const defines = [`-DFRAME_SAMPLES=${FRAME_SAMPLES}`, "-DRATE_HZ=20", "-DUPDATE_DEVICE_DRAIN_MS=1500u"];
    elf = new UpdatableExample(mkdtempSync(join(scratch, "made-"))).resident({ board: BOARD, form: "module", defines });
  }, 120_000);

  async function begin({ onTestFinished }: TestContext): Promise<UpdatedBoard> {
    const flash = join(mkdtempSync(join(scratch, "flash-")), "flash.bin");
    writeFactoryFlash(flash, { board: BOARD }, wasm, FACTORY);
    const board = await UpdatedBoard.start(BOARD, elf, flash);
    onTestFinished(() => board.stop());
    return board;
  }

  test.concurrent("a switch waits until the cloud has all of them, and none is lost", LONG, async (context) => {
    const board = await begin(context);
    let busy: { frames: number; rows: number } | undefined;
    const two = modulePackage(relabelled(wasm, "two"), FACTORY + 1);
    const { verdict } = await board.update(two, {
      onState: ({ phase, verdict, detail, next }) => {
        if (busy !== undefined) return;
        // Before the board is told that this was all: what it closes for the test must find nobody who hears it.
        if (phase === "receiving" && next === two.body.length) board.isDeaf = true;
        if (phase !== "ready" || FLASH_VERDICTS[verdict] !== "busy") return;
        busy = { frames: detail, rows: board.rows.length };
        board.isDeaf = false;
      },
    });
    expect(verdict).toBeNull();
    expect(busy?.frames).toBeGreaterThanOrEqual(2);
    const { frames = 0, rows = 0 } = busy ?? {};
    const old = board.rows.filter(({ epoch }) => epoch < board.lastEpoch);
    // The last frame of each boot, before the test and before the switch, is what was in hand.
    expect(old.length).toBeGreaterThan(rows + (frames - 2) * FRAME_SAMPLES);
    expect(board.gaps).toEqual([]);
    // While it waited in vain, twice, there was no reading.
    expect(rotorFault(board.rows, 0.4)).toBeNull();
  });

  test.concurrent.for([
    ["called off", async () => relabelled(wasm, "unloved")],
    ["stopped by a trap", async () => await spoiltAfter(wasm, 5 * FRAME_SAMPLES, "unreachable")],
  ] as const)(
    "what a module made that is %s on trial is told as lost, and nothing else",
    LONG,
    async ([, make], context) => {
      const board = await begin(context);
      let tried = 0;
      const { verdict } = await board.update(modulePackage(await make(), FACTORY + 1), {
        confirmAfter: Number.POSITIVE_INFINITY,
        onState: ({ phase, nonce, sid }) => {
          if (phase !== "trying") return;
          board.isDeaf = true;
          if (++tried === TRYING_STATES) board.send({ kind: "flash", op: "abort", nonce, sid });
        },
      });
      expect(["aborted", "trapped"]).toContain(FLASH_VERDICTS[verdict ?? 0]);
      board.isDeaf = false;
      const lost = {
        epoch: board.lastEpoch - 1,
        from: expect.any(Number) as number,
        through: expect.any(Number) as number,
      };
      await board.until(() => board.gaps.length > 0, "what is lost");
      expect(board.gaps).toEqual([lost]);
      const [{ from = 0, through = 0 } = {}] = board.gaps;
      expect(through - from).toBeGreaterThanOrEqual(3);
      const { length } = board.rows;
      await board.until(() => board.rows.length > length, "streaming again");
      expect(board.gaps).toHaveLength(1);
      expect(rotorFault(board.rows)).toBeNull();
    },
  );
});
