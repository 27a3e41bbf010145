import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FLASH_VERDICTS, type FlashVerdict } from "@lockstep/protocol";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { rotorFault } from "../end-to-end/rotor-rows.ts";
import { type UpdatableBuild, UpdatableExample, writeFactoryFlash } from "../end-to-end/updatable-made.ts";
import { UpdatedBoard } from "../end-to-end/updated-board.ts";
import { imageKit, offerWrong, wrongImages } from "../faults/wrong-images.ts";
import { refusedAtBegin, refusedAtEnd, type WrongImage, wrongOnTrial } from "../faults/wrong-modules.ts";
import type { BenchOptions, BenchReport } from "./bench.ts";

const BOARD = "mps2-an386";
/** 1.0.0. */
const FACTORY = 2 ** 24;
const DEVICE_LITE_WASM = new URL("../../edge-sdk/build/device-lite.wasm", import.meta.url);
/** Short frames, so that a frame of a new epoch comes soon, and a short limit, for what is not confirmed. */
const DEFINES = ["-DFRAME_SAMPLES=10", "-DRATE_HZ=20", "-DCONFIRM_MS=6000u"];
/** For images that hang; a module that does runs out of gas before. */
const WATCHDOG = "-DUPDATE_DEVICE_WATCHDOG_MS=1500u";

/** What is offered to one board, one after the other. */
interface Round {
  readonly form: string;
  readonly resident: string;
  readonly factory: Uint8Array;
  readonly wrong: readonly WrongImage[];
}

/** What became of one board. */
interface RoundTally {
  readonly form: string;
  /** By verdict: how many came to it, and to another end. */
  readonly verdicts: ReadonlyMap<FlashVerdict, { readonly right: number; readonly faults: readonly string[] }>;
  readonly boots: number;
  readonly rows: number;
  /** Frames that never came, or a row that is not the rotor's. */
  readonly streamFaults: readonly string[];
}

/**
 * Packages that a board must not keep, offered to an emulated one that streams: each is refused or gone back from by name, and
 * the device streams again.
 *
 * @param cases  how many, evenly spread; all of them if not given
 */
export async function benchUpdateRefusals({ cases }: BenchOptions): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-update-refusals-"));
  try {
    const rounds = await allRounds(folder);
    const all = rounds.reduce((sum, { wrong }) => sum + wrong.length, 0);
    const share = Math.min(1, (cases ?? all) / all);
    const tallies = [];
    for (const round of rounds) {
      const some = round.wrong.filter((_, i) => Math.floor((i + 1) * share) > Math.floor(i * share));
      tallies.push(await runRound({ ...round, wrong: some }, join(folder, `${round.form}.bin`)));
    }
    return report(tallies);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function allRounds(folder: string): Promise<Round[]> {
  const wasm = readFileSync(DEVICE_WASM);
  const example = new UpdatableExample(mkdtempSync(join(folder, "made-")));
  const module: UpdatableBuild = { board: BOARD, form: "module", defines: DEFINES };
  const image: UpdatableBuild = { board: BOARD, form: "image", defines: [...DEFINES, WATCHDOG] };
  const kit = imageKit(mkdtempSync(join(folder, "kit-")), image, wasm);
  const modules = [
    ...refusedAtBegin(wasm, FACTORY),
    ...(await refusedAtEnd(wasm, readFileSync(DEVICE_LITE_WASM), FACTORY)),
    ...(await wrongOnTrial(wasm, FACTORY)),
  ];
  return [
    { form: "module", resident: example.resident(module), factory: wasm, wrong: modules },
    {
      form: "image",
      resident: kit.loader,
      factory: kit.images[0] ?? wasm,
      wrong: wrongImages(kit, FACTORY),
    },
  ];
}

async function runRound({ form, resident, factory, wrong }: Round, flash: string): Promise<RoundTally> {
  writeFactoryFlash(flash, { board: BOARD }, factory, FACTORY);
  const board = await UpdatedBoard.start(BOARD, resident, flash);
  const verdicts = new Map<FlashVerdict, { right: number; faults: string[] }>();
  try {
    for (const [i, each] of wrong.entries()) {
      const tally = verdicts.get(each.verdict) ?? { right: 0, faults: [] };
      verdicts.set(each.verdict, tally);
      const fault = await offerWrong(board, each).catch((error: unknown) => `${each.about}: ${String(error)}`);
      if (fault === null) tally.right += 1;
      else tally.faults.push(fault);
      process.stderr.write(
        `update-refusals: ${form}, ${i + 1} of ${wrong.length}, ${each.about}: ${fault ?? "as it should"}\n`,
      );
    }
    const gaps = board.gaps.map(
      ({ epoch, from, through }) => `frames ${from} to ${through} of epoch ${epoch} never came`,
    );
    const fault = rotorFault(board.rows);
    const streamFaults = fault === null ? gaps : [...gaps, fault];
    return { form, verdicts, boots: board.boots, rows: board.rows.length, streamFaults };
  } finally {
    await board.stop();
  }
}

function report(tallies: readonly RoundTally[]): BenchReport {
  const cells = tallies.flatMap(({ form, verdicts }) =>
    [...verdicts].map(([verdict, { right, faults }]) => ({ form, verdict, right, faults })),
  );
  const offered = cells.reduce((sum, { right, faults }) => sum + right + faults.length, 0);
  const right = cells.reduce((sum, cell) => sum + cell.right, 0);
  const streamFaults = tallies.flatMap((tally) => tally.streamFaults);
  return {
    title: "Wrong packages offered to an emulated board that streams",
    goals: [
      {
        what: "refused or gone back from by name, the device streaming again",
        measured: (100 * right) / offered,
        unit: "%",
        must: { atLeast: 100 },
      },
      {
        what: "frames that never came, and rows that are beyond their bound",
        measured: streamFaults.length,
        unit: "",
        must: { atMost: 0 },
      },
    ],
    columns: ["form, verdict", "number", "packages", "as they should"],
    rows: cells.map(({ form, verdict, right, faults }) => [
      `${form}, ${verdict}`,
      FLASH_VERDICTS.indexOf(verdict),
      right + faults.length,
      right,
    ]),
    more: [
      {
        title: "What streamed meanwhile",
        columns: ["form", "packages", "boots", "rows confirmed", "beyond the bound, or missing"],
        rows: tallies.map(({ form, verdicts, boots, rows, streamFaults }) => [
          form,
          [...verdicts.values()].reduce((sum, { right, faults }) => sum + right + faults.length, 0),
          boots,
          rows,
          streamFaults.length,
        ]),
      },
    ],
    notes: [
      "firmware-examples/rotor-updatable on mps2-an386 under QEMU, one board for each form from its first boot to the end; `test/faults/wrong-modules.ts` and `wrong-images.ts` say what each package is. What goes wrong on trial does so before the eighth frame, after which a cloud confirms; after each package a frame of the old module or image has to be confirmed again.",
      "Rows are held against the rotor's signal, from the start of each epoch without a gap. A board here is told to wait 6 s for its confirmation, in place of five minutes, and the watchdog of one with images 1.5 s.",
      ...streamFaults,
      ...cells.flatMap(({ faults }) => faults),
    ],
    json: { tallies: cells, streams: tallies.map(({ verdicts: _, ...stream }) => stream) },
  };
}
