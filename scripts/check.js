/** `npm run check`: every check of `checks.js`, with what a failing one printed. */
import { continueOnNode24 } from "../cloud-node/bin/node24.js";
import { CHECKS } from "./checks.js";

await continueOnNode24(import.meta.url);

for (const { claim, run } of CHECKS) {
  const { ok, output } = await run();
  process.stdout.write(`${ok ? "ok    " : "FAILED"} ${claim}\n`);
  if (ok) continue;
  process.stdout.write(`${output.trimEnd()}\n`);
  process.exitCode = 1;
}
