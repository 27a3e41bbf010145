import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a run's best checkpoint has in its tensors, without the header, which tells how long the run took. */
export function checkpointTensors(run: string): Buffer {
  const file = readFileSync(join(run, "best.safetensors"));
  return file.subarray(8 + Number(file.readBigUInt64LE()));
}
