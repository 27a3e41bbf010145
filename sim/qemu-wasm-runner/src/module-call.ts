import type { WasmInteger } from "./machine.ts";
import { RunnerError } from "./runner-error.ts";

/** One call of an exported function. */
export interface ModuleCall {
  readonly function: string;
  readonly args: readonly WasmInteger[];
}

/**
 * A call as it is typed: a name, and whole numbers in decimal or hexadecimal.
 *
 * @throws {RunnerError} `usage`
 */
export function parseCall(text: string): ModuleCall {
  const [name = "", ...args] = text.trim().split(/\s+/);
  return { function: name, args: args.map(toInteger) };
}

function toInteger(text: string): bigint {
  if (!/^-?(\d+|0x[0-9a-f]+)$/i.test(text)) throw new RunnerError("usage", { argument: text, want: "a whole number" });
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}
