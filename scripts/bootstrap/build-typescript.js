import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findNode24 } from "../../cloud-node/bin/node24.js";
import { runTool } from "./run-tool.js";
import { SetupError } from "./setup-error.js";
import { contentHash, isStamped, writeStamp } from "./stamp.js";

const STAMP = "typescript";
/** Of the last build that found no `dist` of an earlier one, which would hide an import of a package that is built later. */
const CLEAN_STAMP = "typescript-clean";

/**
 * Every package's `dist/`, by project references.
 *
 * @param {string} root
 * @returns {import("./main.js").Step}
 */
export function buildTypescriptStep(root) {
  const projects = projectsOf(root);
  const outputs = projects.map((project) => join(project, "dist/index.js"));
  return {
    doing: "compiling TypeScript",
    done: "compiled TypeScript",
    isDone: () => isStamped(root, STAMP, sourcesHash(root), outputs),
    async run(track) {
      const compiled = sourcesHash(root);
      const isClean = projects.every((project) => !existsSync(join(root, project, "dist")));
      const node = findNode24();
      if ("problem" in node) throw new SetupError("unsupported-platform", node.problem);
      const tsc = join(root, "node_modules/typescript-native/bin/tsc");
      const { ok, output } = await runTool(node.path, [tsc, "--build"], { cwd: root, track });
      if (!ok) throw new SetupError("tool", "TypeScript does not compile, as said above: mend its source", { output });
      writeStamp(root, STAMP, compiled);
      if (isClean) writeStamp(root, CLEAN_STAMP, compiled);
    },
  };
}

/**
 * Whether a clean build of just these sources, with just these dependencies, has succeeded here.
 *
 * @param {string} root
 */
export function hasBuiltClean(root) {
  return isStamped(root, CLEAN_STAMP, sourcesHash(root), []);
}

function projectsOf(root) {
  return JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")).references.map(({ path }) => path);
}

function sourcesHash(root) {
  const inputs = ["tsconfig.json", "node_modules/typescript-native/package.json", ...projectsOf(root)];
  return contentHash(root, inputs, isCompiled, readFileSync(join(root, "package-lock.json"), "utf8"));
}

/** Tests are left out of `dist`, and so are they here: a changed test needs no build. */
function isCompiled(path) {
  if (path.includes("/assembly/")) return false;
  return (
    /(^|\/)(package|tsconfig)\.json$/.test(path) || (/\.tsx?$/.test(path) && !/\.(test|bench|suite)\.ts$/.test(path))
  );
}
