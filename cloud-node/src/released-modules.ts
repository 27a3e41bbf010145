import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * The codec modules that come with this release: those it was built with, of both profiles, and those of earlier releases,
 * whose devices may still be out there.
 */
export async function releasedModules(): Promise<Uint8Array[]> {
  const core = createRequire(import.meta.url).resolve("@lockstep/edge-sdk/core");
  const root = join(core, "../..");
  const earlier = await readdir(join(root, "modules")).catch(() => []);
  const files = [join(root, "build/device.wasm"), join(root, "build/device-lite.wasm")];
  for (const name of earlier) if (name.endsWith(".wasm")) files.push(join(root, "modules", name));
  return await Promise.all(files.map(async (file) => new Uint8Array(await readFile(file))));
}
