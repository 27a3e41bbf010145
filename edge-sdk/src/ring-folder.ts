import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BUILT_IN_SLOT } from "./boot-record.ts";
import { compileDeviceModule, type DeviceModule } from "./device-module.ts";

/** Digits of the model's id in a file's name. */
const MODEL_DIGITS = 16;

/** A ring that an earlier process left, and the module that wrote it. */
interface LeftRing {
  readonly file: string;
  readonly module: DeviceModule;
}

/**
 * The file for a module's ring: one that no running session has.
 *
 * @returns undefined without a folder
 */
export function ringFileFor(
  folder: string | undefined,
  model: Uint8Array,
  taken: readonly (string | undefined)[],
): string | undefined {
  if (folder === undefined) return undefined;
  for (let n = 0; ; n++) {
    const file = join(folder, ringName(model, n));
    if (!taken.includes(file)) return file;
  }
}

/** Rings of modules that the device still has, but `own`; what wrote the others is gone, and they are left where they are. */
export function leftRings(
  folder: string | undefined,
  own: string | undefined,
  moduleIn: (slot: number) => Uint8Array | undefined,
): LeftRing[] {
  if (folder === undefined) return [];
  const names = readdirSync(folder).sort();
  const wasms = [0, 1, BUILT_IN_SLOT].flatMap((slot) => moduleIn(slot) ?? []);
  const modules = new Map(
    wasms.map((wasm) => {
      const module = compileDeviceModule(wasm);
      return [ringName(module.model, 0).slice(0, -"0.bin".length), module] as const;
    }),
  );
  return [...modules].flatMap(([start, module]) =>
    names
      .filter((name) => name.startsWith(start) && join(folder, name) !== own)
      .map((name) => ({ file: join(folder, name), module })),
  );
}

function ringName(model: Uint8Array, n: number): string {
  return `ring-${Buffer.from(model).toString("hex").slice(0, MODEL_DIGITS)}-${n}.bin`;
}
