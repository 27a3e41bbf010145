/**
 * Write the golden vectors beside this file: `node protocol/vectors/generate.ts`.
 *
 * To add one, add a case to `frame-cases.ts`, `refused-cases.ts`, `serial-cases.ts`, `mac-cases.ts`, `job-cases.ts` or one
 * of the files beside it. A vector that changes is a breaking change.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { vectorFiles } from "./vector-files.ts";

for (const folder of ["refused/", "serial/", "mac/"]) mkdirSync(new URL(folder, import.meta.url), { recursive: true });
for (const [path, bytes] of vectorFiles()) {
  writeFileSync(new URL(path, import.meta.url), bytes);
}
