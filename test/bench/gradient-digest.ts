import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** What computes: the coder's kernels, and those of the engine. */
const KERNELS = ["gradient.wasm", "tensor.wasm"];

/** SHA-256, hexadecimal, of what figures were made of: facts in JSON, and the kernels of this checkout. */
export function runDigest(facts: object): string {
  const kernels = KERNELS.map((file) => {
    return sha256(readFileSync(new URL(`../../cloud-node/build/${file}`, import.meta.url)));
  });
  return sha256(JSON.stringify({ ...facts, kernels }));
}

function sha256(of: string | Buffer): string {
  return createHash("sha256").update(of).digest("hex");
}
