import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InvariantError } from "../../invariant-error.ts";
import type { DeviceSection, KernelId } from "./dispatch.ts";

/** Kernels are read where they are written, by what is built too. */
const FOLDER = import.meta.url.endsWith(".ts") ? "./kernels" : "../../../src/tensor/webgpu/kernels";
const CALL = /struct Call \{([^}]*)\}/;
const FIELD = /^ *(\w+): ([uf])32,$/gm;

const ACCESS = /\b(?:load|bits|store|contribute|has)([A-Z]\w*)\b/g;

/** A file of kernels. */
export interface ShaderFile {
  /** With what is in front of every kernel. */
  readonly code: string;
  /** Places that its kernels read or write. */
  readonly places: readonly string[];
  /** What a call gives, in its order: names and whether they are whole numbers or floats. */
  readonly fields: readonly { readonly name: string; readonly isFloat: boolean }[];
}

/** The WGSL beside this file. */
export class ShaderLibrary {
  readonly #prelude = readKernels("arena");
  readonly #files = new Map<string, ShaderFile>();

  /** The file of a kernel, `FILE.ENTRY`. */
  fileOf(kernel: KernelId): ShaderFile {
    const [name = ""] = kernel.split(".");
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const own = readKernels(name);
    const [, body = ""] = CALL.exec(own) ?? [];
    const fields = Array.from(body.matchAll(FIELD), ([, field = "", type]) => ({ name: field, isFloat: type === "f" }));
    const accessed = new Set(Array.from(own.matchAll(ACCESS), ([, place = ""]) => lowerFirst(place)));
    const places = fields.map((field) => field.name).filter((field) => accessed.has(field));
    const file = { code: `${this.#prelude}\n${own}`, fields, places };
    this.#files.set(name, file);
    return file;
  }
}

/** The words of a call's uniform. @throws {InvariantError} for a field that the kernel does not have */
export function packFields(
  { fields }: ShaderFile,
  kernel: KernelId,
  given: Readonly<Record<string, number>>,
): Uint32Array {
  const words = new Uint32Array(fields.length);
  const floats = new Float32Array(words.buffer);
  const places = new Map(fields.map(({ name }, at) => [name, at]));
  for (const [name, number] of Object.entries(given)) {
    const at = places.get(name);
    if (at === undefined) throw new InvariantError(`the kernel ${kernel} has no ${name}`);
    if (fields[at]?.isFloat === true) floats[at] = number;
    else words[at] = number;
  }
  return words;
}

/** How a place is read and written: a piece of WGSL for its section, or for "none", where there is nothing to read. */
export function placeAccess(place: string, section: DeviceSection | undefined): string {
  const name = `${place.charAt(0).toUpperCase()}${place.slice(1)}`;
  const read = section === undefined ? "0u" : `${section}[at]`;
  const write = section === undefined ? "" : `${section}[at] = bitcast<u32>(number);`;
  return `
const has${name} = ${section !== undefined};
fn bits${name}(at: u32) -> u32 { return ${read}; }
fn load${name}(at: u32) -> f32 { return bitcast<f32>(${read}); }
fn store${name}(at: u32, number: f32) { ${write} }
// A contribution to a gradient: the first overwrites whatever is there, even what is no number.
fn contribute${name}(at: u32, number: f32, add: u32) {
  if (add == 1u) {
    store${name}(at, load${name}(at) + number);
  } else {
    store${name}(at, number);
  }
}`;
}

function lowerFirst(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

function readKernels(name: string): string {
  return readFileSync(fileURLToPath(new URL(`${FOLDER}/${name}.wgsl`, import.meta.url)), "utf8");
}
