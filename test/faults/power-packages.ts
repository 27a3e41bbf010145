import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { UpdatableExample } from "../end-to-end/updatable-made.ts";
import { imagePackage, modulePackage, relabelled, type VersionedPackage } from "../end-to-end/update-package.ts";
import { factoryBoard, type PowerRig } from "./firmware-power.ts";

/** Version 1.0.0; what it is updated to is the patch after it. */
export const FACTORY_VERSION = 2 ** 24;
/** Short frames, so that what is tried is confirmed soon. */
const DEFINES = ["-DFRAME_SAMPLES=5", "-DRATE_HZ=20"];
const BOARD = "mps2-an386";

/** A board that has booted once, and what it is updated to. */
export interface PowerCase {
  readonly rig: PowerRig;
  readonly update: VersionedPackage;
}

/**
 * Make both forms of the updatable rotor for a Cortex-M4.
 *
 * @param folder  an empty one
 */
export async function powerCases(folder: string): Promise<{ module: PowerCase; image: PowerCase }> {
  const wasm = readFileSync(DEVICE_WASM);
  const example = new UpdatableExample(mkdtempSync(join(folder, "made-")));
  const module = { board: BOARD, form: "module", defines: DEFINES } as const;
  const image = { ...module, form: "image" } as const;
  const about = { slot: 1, version: FACTORY_VERSION + 1, target: `${BOARD}/rotor-updatable` };
  const factory = example.image(image, 0);
  return {
    module: {
      rig: await factoryBoard(example.resident(module), wasm, FACTORY_VERSION, join(folder, "module.bin")),
      update: modulePackage(relabelled(wasm, "two"), FACTORY_VERSION + 1),
    },
    image: {
      rig: await factoryBoard(example.resident(image), factory, FACTORY_VERSION, join(folder, "image.bin")),
      update: imagePackage(example.image(image, 1), wasm, about),
    },
  };
}
