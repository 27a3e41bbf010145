import { readFileSync } from "node:fs";
import wabt from "wabt";

const TEXT = readFileSync(new URL("toy-codec.wat", import.meta.url), "utf8");

/** A toy's own: what tells it from others. */
export interface ToyCodec {
  readonly stateHash: number;
  /** Bytes of padding, which say nothing. */
  readonly padding?: number;
  /** Traps when it has taken so many rows. */
  readonly trapsAt?: number;
}

/** Make the module of toy-codec.wat. */
export async function toyCodec({ stateHash, padding = 2000, trapsAt }: ToyCodec): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const trap =
    trapsAt === undefined ? "" : `(if (i32.ge_u (global.get $rows) (i32.const ${trapsAt})) (then (unreachable)))`;
  const bytes = Array.from(
    { length: padding },
    (_, i) => `\\${((i * 167 + stateHash) & 0xff).toString(16).padStart(2, "0")}`,
  );
  const text = TEXT.replace("(i32.const STATE_HASH)", `(i32.const ${stateHash})`)
    .replace("    TRAP\n", trap === "" ? "" : `    ${trap}\n`)
    .replace("PADDING", bytes.join(""));
  const module = parseWat("toy-codec.wat", text);
  const { buffer } = module.toBinary({});
  module.destroy();
  return buffer;
}
