import wabt from "wabt";

/**
 * A module that is as good as the one given until its link has taken so many samples; then it does something else.
 *
 * @param then  instructions of WebAssembly's text
 */
export async function spoiltAfter(wasm: Uint8Array, samples: number, then: string): Promise<Uint8Array> {
  return await spoiltIn(wasm, "linkSample", samples, then);
}

/**
 * A module one function of which does something else once it was called so many times. Four of the bytes below the core's
 * constants, which nothing uses, count the calls.
 *
 * @param name  of an exported function
 */
export async function spoiltIn(wasm: Uint8Array, name: string, calls: number, then: string): Promise<Uint8Array> {
  const { readWasm, parseWat } = await wabt();
  const module = readWasm(Uint8Array.from(wasm), { readDebugNames: false });
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  const [, number] = new RegExp(`\\(export "${name}" \\(func (\\d+)\\)\\)`).exec(text) ?? [];
  const begin = new RegExp(`\\(func \\(;${number};\\)[^\\n]*\\n(?: *\\(local [^\\n]*\\n)*`);
  if (number === undefined || !begin.test(text)) throw new RangeError(`the module has no ${name}`);
  const count = `i32.const 0 i32.const 0 i32.load i32.const 1 i32.add i32.store
    i32.const 0 i32.load i32.const ${calls} i32.gt_u if ${then} end\n`;
  const spoilt = parseWat(
    "spoilt.wat",
    text.replace(begin, (head) => head + count),
  );
  const { buffer } = spoilt.toBinary({});
  spoilt.destroy();
  return buffer;
}
