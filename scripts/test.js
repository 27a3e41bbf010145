/**
 * `npm test`: what the suites need from the operating system, then every suite, then one closing line.
 *
 * Arguments go to vitest: `npm test -- protocol` runs the files whose path contains "protocol".
 */
import { continueOnNode24 } from "../cloud-node/bin/node24.js";
import { installOsPackages } from "./apt-install.js";
import { hasOnnxRuntime, installOnnxRuntime, ONNX_RUNTIME_LINE } from "./onnxruntime.js";
import { aptLine, missingOsPackages, mustRunAll } from "./os-packages.js";
import { closingLine, countTests } from "./test-counts.js";

await continueOnNode24(import.meta.url);

const say = (line) => process.stdout.write(`${line}\n`);

installOsPackages(missingOsPackages("test"), say);
const missing = missingOsPackages("test");
if (mustRunAll()) installOnnxRuntime(say);
const hasOrt = hasOnnxRuntime();

const { parseCLI, startVitest } = await import("vitest/node");
const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
const vitest = await startVitest("test", filter, { ...options, watch: false });
const counts = countTests(vitest.state.getTestModules(), vitest.state.getUnhandledErrors());
await vitest.close();

for (const row of missing) {
  say(`not run: ${row.neededBy}: needs ${row.name}; on Debian: sudo ${aptLine([row])}`);
}
if (!hasOrt) say(`not run: the tensor engine's backend ort: needs onnxruntime-node; ${ONNX_RUNTIME_LINE} (100 MB)`);
if (mustRunAll() && (missing.length > 0 || !hasOrt || counts.skipped > 0)) {
  say("nothing may be left out here (CI=true on Debian): that is a failure");
  process.exitCode = 1;
}
if (counts.passed + counts.failed === 0) say("no test ran");
if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
say(closingLine(counts));
