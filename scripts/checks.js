import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runTool } from "./bootstrap/run-tool.js";
import { buildClean } from "./clean-build.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * What a tool can check about the sources.
 *
 * @typedef {object} Check
 * @property {string} claim  a sentence that holds when the check passes
 * @property {() => Promise<{ ok: boolean, output: string }>} run
 */

/** @type {readonly Check[]} One table: `npm run check` prints it, and `npm test` counts it. */
export const CHECKS = [
  {
    claim: "every file is formatted, and passes lint without a warning",
    run: () => runPackageTool("@biomejs/biome/bin/biome", "ci", "--error-on-warnings", "--colors=off"),
  },
  {
    claim: "a clean build succeeds, so no package imports one that is built after it",
    run: () => buildClean(ROOT),
  },
  {
    claim: "tests, suites and benchmarks type-check",
    run: () => runPackageTool("typescript-native/bin/tsc", "--project", "test/tsconfig.json"),
  },
  {
    claim: "the page type-checks",
    run: () => runPackageTool("typescript-native/bin/tsc", "--project", "cloud-node/dashboard/tsconfig.json"),
  },
  {
    claim: "the documents and the API reference become a site without a warning or a dead link",
    run: makeSite,
  },
];

/** Pages are made, too: some warnings come with them alone. */
async function makeSite() {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-site-"));
  try {
    return await runPackageTool("typedoc/bin/typedoc", "--out", folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runPackageTool(bin, ...args) {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
  return runTool(process.execPath, [join(ROOT, "node_modules", bin), ...args], { cwd: ROOT, env });
}
