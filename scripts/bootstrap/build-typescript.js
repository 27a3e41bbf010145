import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findNode24 } from "../../cloud-node/bin/node24.js";
import { runTool } from "./run-tool.js";
import { SetupError } from "./setup-error.js";
import { contentHash, isStamped, writeStamp } from "./stamp.js";

const STAMP = "typescript";

/**
 * Every package's `dist/`, by project references.
 *
 * @param {string} root
 * @returns {import("./main.js").Step}
 */
export function buildTypescriptStep(root) {
  const projects = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")).references.map(({ path }) => path);
  const inputs = ["tsconfig.json", "node_modules/typescript/package.json", ...projects];
  const outputs = projects.map((project) => join(project, "dist/index.js"));
  const hash = () => contentHash(root, inputs, isCompiled);
  return {
    doing: "compiling TypeScript",
    done: "compiled TypeScript",
    isDone: () => isStamped(root, STAMP, hash(), outputs),
    async run(track) {
      const compiled = hash();
      const node = findNode24();
      if ("problem" in node) throw new SetupError("unsupported-platform", node.problem);
      const tsc = join(root, "node_modules/typescript/bin/tsc");
      const { ok, output } = await runTool(node.path, [tsc, "--build"], { cwd: root, track });
      if (!ok) throw new SetupError("tool", "TypeScript does not compile, as said above: mend its source", { output });
      writeStamp(root, STAMP, compiled);
    },
  };
}

/** Tests are left out of `dist`, and so are they here: a changed test needs no build. */
function isCompiled(path) {
  if (path.includes("/assembly/")) return false;
  return (
    /(^|\/)(package|tsconfig)\.json$/.test(path) || (/\.tsx?$/.test(path) && !/\.(test|bench|suite)\.ts$/.test(path))
  );
}
