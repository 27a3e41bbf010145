import { readFileSync } from "node:fs";
import wabt from "wabt";

export const DEVICE_WASM = new Uint8Array(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));

/** What sets a variant of `device.wasm` apart. */
export interface Variant {
  /** Any number: it makes another module id. */
  readonly name: number;
  /** Traps when it takes its so manieth sample, from 1. */
  readonly trapsAt?: number;
}

/** A module that codes as `device.wasm` does, and is another one. */
export async function variantOfDevice({ name, trapsAt = 0 }: Variant): Promise<Uint8Array> {
  const { readWasm, parseWat } = await wabt();
  const original = readWasm(DEVICE_WASM, { readDebugNames: false });
  const text = original.toText({ foldExprs: false, inlineExport: false });
  original.destroy();
  const [, linkSample] = /\(export "linkSample" \(func (\d+)\)\)/.exec(text) ?? [];
  const counting = `
    (global $variant i32 (i32.const ${name}))
    (export "VARIANT" (global $variant))
    (global $taken (mut i32) (i32.const 0))
    (func $counting (param i32 i32 i64 i32) (result i32)
      (global.set $taken (i32.add (global.get $taken) (i32.const 1)))
      (if (i32.eq (global.get $taken) (i32.const ${trapsAt})) (then (unreachable)))
      (call ${linkSample} (local.get 0) (local.get 1) (local.get 2) (local.get 3)))`;
  const changed = text
    .replace(`(export "linkSample" (func ${linkSample}))`, '(export "linkSample" (func $counting))')
    .replace(/\)\s*$/, `${counting})`);
  const module = parseWat("variant.wat", changed);
  const { buffer } = module.toBinary({});
  module.destroy();
  return buffer;
}
