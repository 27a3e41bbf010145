import { setFlagsFromString } from "node:v8";

/**
 * V8's options while a module is compiled, and what they are otherwise: pairs of 128-bit vectors become instructions of
 * 256 bits, which compute each number as before; and every function is compiled at once, and optimized, so that none is
 * left for later, when the options are no longer set.
 */
const FLAGS: readonly (readonly [during: string, after: string])[] = [
  ["--experimental-wasm-revectorize", "--no-experimental-wasm-revectorize"],
  ["--no-liftoff", "--liftoff"],
  ["--no-wasm-lazy-compilation", "--wasm-lazy-compilation"],
];

/** The Node whose V8 this was tested with: the first option is experimental, and its name may go. */
const NODE_MAJOR = "24";
/** Name of a section without meaning: V8 keeps code by a module's bytes, and would give back what it compiled without. */
const SECTION = "wide-vectors";

/** Whether `compileWide` can do anything here. */
export function canCompileWide(): boolean {
  return process.arch === "x64" && process.versions.node.split(".")[0] === NODE_MAJOR;
}

/** Compile a module for vectors of 256 bits, where this host can. */
export function compileWide(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module | undefined {
  if (!canCompileWide()) return undefined;
  const name = new TextEncoder().encode(SECTION);
  const marked = Uint8Array.of(...bytes, 0, name.length + 1, name.length, ...name);
  for (const [during] of FLAGS) setFlagsFromString(during);
  try {
    return new WebAssembly.Module(marked);
  } finally {
    for (const [, after] of FLAGS) setFlagsFromString(after);
  }
}
