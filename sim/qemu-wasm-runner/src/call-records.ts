import { findExport } from "./arguments.ts";
import type { Machine, WasmInteger } from "./machine.ts";
import type { IntegerType, ModuleShape } from "./module-shape.ts";
import { RunnerError } from "./runner-error.ts";

const BYTES: Readonly<Record<IntegerType, number>> = { i32: 4, i64: 8 };

/**
 * Call one function again and again, with arguments from bytes: integers of the parameters' types, little-endian, call
 * after call.
 *
 * @returns the results of all calls, likewise
 * @throws {RunnerError} `no-such-export`; `usage` where the bytes are not those of whole calls; what a call throws
 */
export async function callByRecords(
  machine: Machine,
  shape: ModuleShape,
  name: string,
  input: Uint8Array,
): Promise<{ calls: number; output: Uint8Array }> {
  const { params, results } = findExport(shape, "function", name).signature;
  const recordBytes = sizeOf(params);
  if (recordBytes === 0 || input.length % recordBytes !== 0) {
    const facts = { function: name, takes: params.join(" ") || "nothing", bytesOfACall: recordBytes };
    throw new RunnerError("usage", { flag: "--in", ...facts, given: input.length });
  }
  const calls = input.length / recordBytes;
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = Buffer.alloc(calls * sizeOf(results));
  let [from, to] = [0, 0];
  for (let call = 0; call < calls; call += 1) {
    const args = params.map((type): WasmInteger => {
      const at = from;
      from += BYTES[type];
      return type === "i32" ? view.getInt32(at, true) : view.getBigInt64(at, true);
    });
    const values = await machine.call(name, ...args);
    for (const [place, type] of results.entries()) {
      const value = values[place] ?? 0;
      to = type === "i32" ? output.writeInt32LE(Number(value), to) : output.writeBigInt64LE(BigInt(value), to);
    }
  }
  return { calls, output };
}

function sizeOf(types: readonly IntegerType[]): number {
  return types.reduce((sum, type) => sum + BYTES[type], 0);
}
