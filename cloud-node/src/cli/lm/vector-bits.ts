import type { VectorBits } from "../../tensor/wasm/tensor-module.ts";
import { CommandError } from "../command-error.ts";

const VARIABLE = "LOCKSTEP_VECTOR_BITS";

/**
 * Vectors that the tensor engine's kernels are compiled for, where the host can: 256 by an experimental option of V8, which
 * 128 does without.
 *
 * @throws {CommandError} `usage`
 */
export function vectorBitsOf(env: Readonly<Record<string, string | undefined>>): VectorBits {
  const text = env[VARIABLE] ?? "256";
  if (text === "128" || text === "256") return text === "128" ? 128 : 256;
  throw new CommandError("usage", `${VARIABLE} is "${text}"`, "say 128 or 256, or nothing");
}
