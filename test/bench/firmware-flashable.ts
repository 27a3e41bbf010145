import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PartSizes, readSizes } from "../../scripts/firmware-sizes.js";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { type UpdatableBuild, UpdatableExample, writeFactoryFlash } from "../end-to-end/updatable-made.ts";
import { modulePackage, relabelled } from "../end-to-end/update-package.ts";
import { UpdatedBoard } from "../end-to-end/updated-board.ts";
import type { BenchGoal, BenchTable } from "./bench.ts";

/** Everything that a flashable device holds, by part, on a Cortex-M4. */
export interface FlashableFigures {
  readonly form: "module" | "image";
  readonly parts: ReadonlyMap<string, PartSizes>;
  /** Without the model of a flash chip: code and constants, bytes. */
  readonly flashBytes: number;
  /** Without the ring, with the stack of C and the module's memory, bytes. */
  readonly ramBytes: number;
  /** Of that, the most that was in use during a whole update. */
  readonly stackBytes: number;
  /** Of that, the memory of the core beside its ring. */
  readonly coreBytes: number;
}

const BOARD = "mps2-an386";
const FACTORY = 2 ** 24;
const RING_BYTES = 8192;
/** What the example lends its core; a build may lend less. */
const LENT_BYTES = 4096;
/** What six channels need of it with `device.wasm`: state, a sample, the device's name. */
const CORE_BYTES = 2816;
/** The same with the lite profile of a module that is interpreted, whose stack is shorter too. */
const LITE_BYTES = 1376;
const LITE_STACK = "-DINTERPRETED_STACK_WORDS=160";
const FLASH_LIMIT = { below: 32 * 1024, aim: 24 * 1024 };
const RAM_LIMIT = { below: 6 * 1024, aim: 4 * 1024 };

/** Make both forms of the example, and run a whole update to see how deep the stack gets. */
export async function measureFlashable(): Promise<FlashableFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-flashable-"));
  try {
    const example = new UpdatableExample(mkdtempSync(join(folder, "made-")));
    const module: UpdatableBuild = { board: BOARD, form: "module", defines: ["-DFRAME_SAMPLES=10", "-DRATE_HZ=20"] };
    const stackBytes = await stackOf(example.resident(module), join(folder, "flash.bin"));
    const lite = { ...module, defines: [...module.defines, LITE_STACK] };
    example.resident(lite);
    const image: UpdatableBuild = { ...module, form: "image" };
    example.image(image, 0);
    example.resident(image);
    const whole = readSizes(example.sizes(image, "0"));
    const loader = readSizes(example.sizes(image, "loader"));
    return [
      figuresOf("module", readSizes(example.sizes(lite, "")), LITE_BYTES, stackBytes),
      figuresOf("image", withLoader(whole, loader), CORE_BYTES, stackBytes),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Update a module once, and ask how deep the stack was. */
async function stackOf(elf: string, flash: string): Promise<number> {
  const wasm = readFileSync(DEVICE_WASM);
  writeFactoryFlash(flash, { board: BOARD }, wasm, FACTORY);
  const board = await UpdatedBoard.start(BOARD, elf, flash);
  let most = 0;
  try {
    await board.update(modulePackage(relabelled(wasm, "two"), FACTORY + 1), {
      onState: ({ stackHighWater }) => {
        most = Math.max(most, stackHighWater);
      },
    });
  } finally {
    await board.stop();
  }
  return most;
}

/** The loader's flash is there too; its memory is free again when the image runs. */
function withLoader(image: ReadonlyMap<string, PartSizes>, loader: ReadonlyMap<string, PartSizes>) {
  const sum = new Map(image);
  for (const [part, { flash }] of loader) {
    const { flash: before = 0, memory = 0 } = sum.get(part) ?? {};
    sum.set(part, { flash: before + flash, memory });
  }
  return sum;
}

function figuresOf(
  form: FlashableFigures["form"],
  parts: ReadonlyMap<string, PartSizes>,
  coreBytes: number,
  stackBytes: number,
): FlashableFigures {
  let [flashBytes, ramBytes] = [0, stackBytes + coreBytes - LENT_BYTES - RING_BYTES];
  for (const [part, { flash, memory }] of parts) {
    if (part === "stack" || part === "model") continue;
    flashBytes += flash;
    ramBytes += memory;
  }
  return { form, parts, flashBytes, ramBytes, stackBytes, coreBytes };
}

/** What a flashable device is held to, in either form. */
export function flashableGoals(measured: readonly FlashableFigures[]): BenchGoal[] {
  return measured.flatMap(({ form, flashBytes, ramBytes }) => {
    const goal = (what: string, value: number, { aim, ...must }: typeof FLASH_LIMIT): BenchGoal => ({
      what: `Cortex-M4: ${what} of everything that a device holds whose ${form} is replaced`,
      measured: value,
      unit: "B",
      must,
      aim,
    });
    return [goal("flash", flashBytes, FLASH_LIMIT), goal("RAM, without the ring,", ramBytes, RAM_LIMIT)];
  });
}

/** One entry of what `--json` prints. */
export function flashableJson({ form, flashBytes, ramBytes, stackBytes, parts }: FlashableFigures) {
  return {
    mode: form === "module" ? "interp" : "aot",
    form,
    flashBytes,
    ramBytes,
    stackBytes,
    parts: Object.fromEntries(parts),
  };
}

/** By part. */
export function flashableTable(measured: readonly FlashableFigures[]): BenchTable {
  const names = [...new Set(measured.flatMap(({ parts }) => [...parts.keys()]))].filter((part) => part !== "stack");
  return {
    title: "A device whose firmware can be replaced, Cortex-M4, -Os, every access checked: flash, B",
    columns: [
      "what is replaced",
      ...names,
      "all but the model",
      "RAM without the ring",
      "of that stack",
      "core's memory",
    ],
    rows: measured.map(({ form, parts, flashBytes, ramBytes, stackBytes, coreBytes }) => [
      form,
      ...names.map((part) => parts.get(part)?.flash ?? 0),
      flashBytes,
      ramBytes,
      stackBytes,
      coreBytes,
    ]),
  };
}
