import { execFile } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { MODULE_TARGET, selfTestDigest, UPDATE_ABI_VERSION } from "@lockstep/edge-sdk";
import { ModuleError } from "@lockstep/edge-sdk/core";
import { ANY_SLOT, formatVersion, type SelfTest } from "@lockstep/protocol";
import type { SigningKey } from "../../flash/signing-key.ts";
import { encodePackage, makePackage, type UpdatePackage } from "../../flash/update-package.ts";
import { CommandError } from "../command-error.ts";

/** So many samples that every expert has learned something, and so few that a small device has done them at once. */
const TEST_CHANNELS = 2;
const TEST_SAMPLES = 64;
const MAX_SEED = 2 ** 32;
/** By slot. */
const SLOT_LETTERS = "ab";
/** A compiler may have much to say. */
const MAX_OUTPUT_BYTES = 1 << 26;

/** What to make packages of. */
export interface PackageChoice {
  /** File of the module. */
  readonly module: string;
  /** u32 */
  readonly version: number;
  readonly key: SigningKey;
  /** Files of images, those for slot 0 and 1 by their names' ends; none: the module itself is sent. */
  readonly images: readonly string[];
  /** Folder whose Makefile builds both images around the module; undefined: none. */
  readonly firmware: string | undefined;
  /** What images are for; undefined for a module. */
  readonly target: string | undefined;
}

/** A package, or one for each slot, and their bytes one behind the other. */
export interface MadePackages {
  readonly packages: readonly UpdatePackage[];
  readonly bytes: Uint8Array;
}

/**
 * Check a module, and make the packages that bring it to devices.
 *
 * @throws {CommandError} `file` for what is no module, or no image; `missing-part` when the images cannot be built
 */
export async function makePackages(choice: PackageChoice): Promise<MadePackages> {
  const { module: file, version, key } = choice;
  const module = new Uint8Array(await readFile(file));
  const test = testOf(module, file);
  const memoryBytes = memoryOf(module);
  const about = { version, abi: UPDATE_ABI_VERSION, memoryBytes, stackBytes: 0, test };
  const images =
    choice.firmware === undefined ? choice.images : await buildImages(choice.firmware, file, formatVersion(version));
  if (images.length === 0) {
    const form = { form: "module", target: MODULE_TARGET, slot: ANY_SLOT } as const;
    return bundle([makePackage({ about: { ...about, ...form }, body: module, module, key })]);
  }
  const { target } = choice;
  if (target === undefined)
    throw new CommandError("usage", "images are for one kind of device", "name it with --target");
  const slots = images.map(slotOf);
  if (new Set(slots).size !== slots.length)
    throw new CommandError("usage", "two images for one slot", "give one for each");
  const bodies = await Promise.all(images.map(async (image) => new Uint8Array(await readFile(image))));
  images.forEach((image, i) => {
    if (runs(bodies[i], module)) return;
    const remedy = "build it with this very device.wasm, as `make images WASM=…` does";
    throw new CommandError("file", `${image} does not run ${file}`, remedy);
  });
  return bundle(
    bodies.map((body, i) => {
      return makePackage({ about: { ...about, form: "image", target, slot: slots[i] ?? 0 }, body, module, key });
    }),
  );
}

/** One line for people: what is sent. */
export function describePackages({ packages }: MadePackages): string {
  const [first] = packages;
  if (first === undefined) return "nothing";
  const { form, version, target, model } = first.manifest;
  const sizes = packages.map(({ body }) => `${body.length} B`).join(" and ");
  return `${form} ${formatVersion(version)} for ${target}, ${sizes}, model ${model.slice(0, 16)}, signed by ${first.keyId}`;
}

function bundle(packages: UpdatePackage[]): MadePackages {
  return { packages, bytes: new Uint8Array(Buffer.concat(packages.map(encodePackage))) };
}

/** What the module computes here is what it must compute on the device. */
function testOf(module: Uint8Array, file: string): SelfTest {
  const about = { channels: TEST_CHANNELS, samples: TEST_SAMPLES, seed: randomInt(MAX_SEED) };
  try {
    return { ...about, digest: selfTestDigest(module, about.channels, about.samples, about.seed) };
  } catch (cause) {
    if (!(cause instanceof ModuleError)) throw cause;
    const remedy = "give device.wasm of a build: integers only, no imports, one page of memory";
    throw new CommandError("file", `${file} may not run on a device (${cause.message})`, remedy, { cause });
  }
}

/** Bytes from the start of its memory to the end of what it keeps at fixed places; the rest is the device's to choose. */
function memoryOf(module: Uint8Array): number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(module)));
  const { __heap_base: base, memory } = exports;
  if (base instanceof WebAssembly.Global && typeof base.value === "number") return base.value;
  return memory instanceof WebAssembly.Memory ? memory.buffer.byteLength : 0;
}

/** Which slot a file is for: by the folder that the firmware's Makefile made it in, or by the end of its name. */
function slotIn(image: string): number | undefined {
  const [, digit, letter] = /slot-([01])\/[^/]+\.bin$|([ab])\.bin$/.exec(image) ?? [];
  if (digit !== undefined) return Number(digit);
  return letter === undefined ? undefined : SLOT_LETTERS.indexOf(letter);
}

/** @throws {CommandError} `usage` where the name says none */
function slotOf(image: string): number {
  const slot = slotIn(image);
  if (slot !== undefined) return slot;
  const remedy = "let its name end in a.bin for slot 0 or b.bin for slot 1, or its folder in slot-0 or slot-1";
  throw new CommandError("usage", `${image} says no slot`, remedy);
}

/** Build both slots' images around a module. */
async function buildImages(firmware: string, module: string, version: string): Promise<string[]> {
  const built = await makeImages(["-C", firmware], firmware, module, version);
  const wasm = await readFile(module);
  const bodies = await Promise.all(built.map((image) => readFile(image)));
  if (bodies.every((body) => runs(body, wasm))) return built;
  // What make found up to date was built around another module, that is newer than this one.
  return await makeImages(["-B", "-C", firmware], firmware, module, version);
}

/** Whether an image was built around a module: it names the module in its birth, by its SHA-256. */
function runs(image: Uint8Array = new Uint8Array(), module: Uint8Array): boolean {
  return Buffer.from(image).includes(createHash("sha256").update(module).digest());
}

async function makeImages(
  place: readonly string[],
  firmware: string,
  module: string,
  version: string,
): Promise<string[]> {
  const args = [...place, "images", "FORM=image", `WASM=${resolve(module)}`, `VERSION=${version}`];
  try {
    await promisify(execFile)("make", args, { maxBuffer: MAX_OUTPUT_BYTES });
  } catch (cause) {
    const { stderr = "", message } = cause as Error & { stderr?: string };
    const [last = message] = stderr.trim().split("\n").slice(-1);
    const problem = `make ${args.join(" ")} failed (${last})`;
    throw new CommandError("missing-part", problem, "see `lockstep doctor`, or build it by hand", { cause });
  }
  const built = join(firmware, "build");
  const found = await readdir(built, { recursive: true }).catch(() => []);
  const images = [0, 1].flatMap((slot) =>
    found.filter((file) => slotIn(file) === slot).map((file) => join(built, file)),
  );
  if (images.length === SLOT_LETTERS.length) return images;
  const remedy = images.length === 0 ? "is its firmware updatable?" : "empty that folder, and build anew";
  throw new CommandError("file", `${built} has ${images.length} images, and one for each slot is needed`, remedy);
}
