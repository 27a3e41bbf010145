import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findNode24 } from "../../cloud-node/bin/node24.js";
import { runTool } from "./run-tool.js";
import { SetupError } from "./setup-error.js";
import { contentHash, isStamped, writeStamp } from "./stamp.js";

/** Packages with an `asconfig.json`, and what their modules are compiled from. */
const WASM_PACKAGES = [
  { folder: "edge-sdk", sources: ["edge-sdk/assembly"] },
  { folder: "cloud-node", sources: ["cloud-node/assembly", "edge-sdk/assembly"] },
];

/**
 * The WebAssembly modules: every target of every `asconfig.json`, from `assembly/TARGET.ts`, built once per change of their sources.
 *
 * @param {string} root
 * @returns {import("./main.js").Step[]}
 */
export function buildWasmSteps(root) {
  return WASM_PACKAGES.map(({ folder, sources }) => {
    const config = join(folder, "asconfig.json");
    const stamp = `wasm-${folder}`;
    const hash = () => contentHash(root, [config, ...sources], (path) => !path.endsWith(".test.ts"), ascVersion(root));
    return {
      doing: `building the WebAssembly of ${folder}`,
      done: `built the WebAssembly of ${folder}`,
      isDone: () => !existsSync(join(root, config)) || isStamped(root, stamp, hash(), outputsOf(root, folder)),
      async run(track) {
        const built = hash();
        await Promise.all(targetsOf(root, folder).map(([target]) => buildTarget(root, folder, target, track)));
        writeStamp(root, stamp, built);
      },
    };
  });
}

async function buildTarget(root, folder, target, track) {
  const node = findNode24();
  if ("problem" in node) throw new SetupError("unsupported-platform", node.problem);
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const args = [asc, `assembly/${target}.ts`, "--config", "asconfig.json", "--target", target];
  const { ok, output } = await runTool(node.path, args, { cwd: join(root, folder), track });
  if (!ok) {
    throw new SetupError("tool", `${folder}: the target "${target}" does not compile, as said above: mend its source`, {
      output,
    });
  }
}

function outputsOf(root, folder) {
  return targetsOf(root, folder).map(([, target]) => join(folder, target.outFile));
}

function targetsOf(root, folder) {
  return Object.entries(JSON.parse(readFileSync(join(root, folder, "asconfig.json"), "utf8")).targets);
}

function ascVersion(root) {
  return JSON.parse(readFileSync(join(root, "node_modules/assemblyscript/package.json"), "utf8")).version;
}
