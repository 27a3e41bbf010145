import { execFileSync } from "node:child_process";
import { closeSync, cpSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FirmwareBoard } from "@lockstep/sim";
import { factoryFlash } from "../../scripts/make-flash.js";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { programPath } from "../os-package.ts";
import { copyExample } from "./firmware-made.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "rotor-updatable";

/** What is built into a device besides what its example says. */
export interface UpdatableBuild {
  readonly board: FirmwareBoard;
  readonly form: "module" | "image";
  /** For every C file, `-DNAME=VALUE`. */
  readonly defines: readonly string[];
}

/** A copy of the example outside the repository, where it can be made in several ways. */
export class UpdatableExample {
  readonly #at: string;

  /** @param folder  an empty one */
  constructor(folder: string) {
    this.#at = copyExample(folder, NAME);
    cpSync(join(REPOSITORY, "firmware-examples/rotor-twin"), join(folder, "firmware-examples/rotor-twin"), {
      recursive: true,
      filter: (path) => !path.endsWith("/build"),
    });
  }

  /** Change a source of it. @param name  relative to the example */
  change(name: string, from: string, to: string): void {
    const path = join(this.#at, name);
    const text = readFileSync(path, "utf8");
    if (!text.includes(from)) throw new RangeError(`${name} has no ${from}`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }

  /** Make what stays in a device. @returns its ELF file */
  resident(build: UpdatableBuild): string {
    const part = build.form === "image" ? "-loader" : "";
    this.#make(build, build.form === "image" ? ["loader"] : []);
    return join(this.#at, `build/${build.board}${part}/${NAME}.elf`);
  }

  /** Make an image for a slot. */
  image(build: UpdatableBuild, slot: number): Uint8Array {
    this.#make(build, [`slot-${slot}`]);
    return readFileSync(join(this.#at, `build/${build.board}-slot-${slot}/${NAME}.bin`));
  }

  /** What `make size` prints. */
  sizes(build: UpdatableBuild, slot: string): string {
    return this.#make(build, ["--no-print-directory", "-s", "size", ...(slot === "" ? [] : [`SLOT=${slot}`])]);
  }

  #make({ board, form, defines }: UpdatableBuild, args: readonly string[]): string {
    return execFileSync(
      programPath("make"),
      [
        ...["-C", this.#at, `BOARD=${board}`, `FORM=${form}`, `DEFINES=${defines.join(" ")}`],
        `WASM=${fileURLToPath(DEVICE_WASM)}`,
        `UPDATE_WASM=${join(REPOSITORY, "edge-sdk/build/update.wasm")}`,
        `WASM2C=${process.execPath} ${join(REPOSITORY, "sim/qemu-wasm-runner/bin/compact-wasm2c.js")}`,
        ...args,
      ],
      { stdio: "pipe", encoding: "utf8" },
    );
  }
}

/** Where the model of a flash chip has its control block in the file, and what is in it (`boards/model-flash.h`). */
const CONTROL_AT = 0x60000;
const CONTROL_WORDS = ["mode", "cutAt", "chance", "operations", "cuts", "violations", "places"] as const;

/** What the flash model of the mps2 boards was told, and what it has seen. */
export type FlashControl = Readonly<Record<(typeof CONTROL_WORDS)[number], number>>;

/** When power fails. */
export type PowerPlan = Pick<FlashControl, "mode" | "cutAt" | "chance">;
export const POWER_FAILS_ONCE = 1;
export const POWER_FAILS_EACH = 2;

/** A file as the factory leaves the flash. @param version  major 2^24 + minor 2^16 + patch */
export function writeFactoryFlash(
  file: string,
  { board }: Pick<UpdatableBuild, "board">,
  body: Uint8Array,
  version: number,
): void {
  writeFileSync(file, factoryFlash(board, body, version));
}

/** Read the control block, also while the board runs. */
export function readControl(file: string): FlashControl {
  const bytes = readFileSync(file).subarray(CONTROL_AT);
  const words = CONTROL_WORDS.map((name, i) => [name, bytes.readUInt32LE(4 * i)]);
  return Object.fromEntries(words) as FlashControl;
}

/** Have power fail from now on, or at the next start. */
export function planPower(file: string, { mode, cutAt, chance }: PowerPlan): void {
  const words = Buffer.alloc(12);
  for (const [i, word] of [mode, cutAt, chance].entries()) words.writeUInt32LE(word, 4 * i);
  writeAt(file, words, CONTROL_AT);
}

function writeAt(file: string, bytes: Uint8Array, at: number): void {
  const handle = openSync(file, "r+");
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}
