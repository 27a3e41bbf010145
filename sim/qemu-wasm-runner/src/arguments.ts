import type { WasmInteger } from "./machine.ts";
import type { IntegerType, ModuleExport, ModuleShape } from "./module-shape.ts";
import { RunnerError } from "./runner-error.ts";

const BITS = { i32: 32, i64: 64 } as const;

/** The export of this kind and name. @throws {RunnerError} `no-such-export`, with those that there are */
export function findExport<K extends ModuleExport["kind"]>(
  shape: ModuleShape,
  kind: K,
  name: string,
): Extract<ModuleExport, { kind: K }> {
  const ofKind = shape.exports.filter((one): one is Extract<ModuleExport, { kind: K }> => one.kind === kind);
  const found = ofKind.find((one) => one.name === name);
  if (found === undefined) {
    throw new RunnerError("no-such-export", {
      kind,
      name: `"${name}"`,
      known: ofKind.map((one) => one.name).join(" "),
    });
  }
  return found;
}

/**
 * Arguments as unsigned 64-bit patterns.
 *
 * @throws {RunnerError} `wrong-arguments` when their number is not that of the parameters, or one does not fit
 */
export function toPatterns(name: string, params: readonly IntegerType[], args: readonly WasmInteger[]): bigint[] {
  if (args.length !== params.length) {
    throw new RunnerError("wrong-arguments", { function: name, takes: params.length, given: args.length });
  }
  return params.map((type, place) => {
    const given = args[place] ?? 0;
    const isWhole = typeof given === "bigint" || Number.isSafeInteger(given);
    const value = isWhole ? BigInt(given) : 0n;
    if (!isWhole || value < -(1n << BigInt(BITS[type] - 1)) || value >= 1n << BigInt(BITS[type])) {
      throw new RunnerError("wrong-arguments", { function: name, place, type, given: String(given) });
    }
    return BigInt.asUintN(BITS[type], value);
  });
}

/** A pattern as the signed number that JavaScript gives for this type. */
export function fromPattern(type: IntegerType, pattern: bigint): WasmInteger {
  return type === "i32" ? Number(BigInt.asIntN(32, pattern)) : BigInt.asIntN(64, pattern);
}
