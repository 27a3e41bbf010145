import { readFileSync } from "node:fs";
import wabt from "wabt";

/** A module of this folder, from its text. */
export async function compileWat(name: string): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const module = parseWat(name, readFileSync(new URL(name, import.meta.url), "utf8"), {
    bulk_memory: true,
    multi_value: true,
  });
  const { buffer } = module.toBinary({});
  module.destroy();
  return buffer;
}
