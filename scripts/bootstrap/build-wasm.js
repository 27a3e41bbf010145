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

/** What Binaryen does to a target after the compiler, by target; a package may be without it. */
const OPT_CONFIG = "wasm-opt.json";
/** What the modules may use: integers and a memory; `edge-sdk/src/module-gate.ts` refuses the rest. */
const FEATURES = ["--mvp-features", "--enable-mutable-globals"];

/**
 * The WebAssembly modules: every target of every `asconfig.json`, from `assembly/TARGET.ts`, built once per change of
 * their sources. Targets that `wasm-opt.json` names go through Binaryen once more with the options given there.
 *
 * @param {string} root
 * @returns {import("./main.js").Step[]}
 */
export function buildWasmSteps(root) {
  return WASM_PACKAGES.map(({ folder, sources }) => {
    const config = join(folder, "asconfig.json");
    const stamp = `wasm-${folder}`;
    const inputs = [config, join(folder, OPT_CONFIG), ...sources];
    const hash = () => contentHash(root, inputs, (path) => !path.endsWith(".test.ts"), toolVersions(root));
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
  const { outFile } = Object.fromEntries(targetsOf(root, folder))[target];
  for (const args of wasmCommands(root, folder, target, outFile)) {
    const { ok, output } = await runTool(node.path, args, { cwd: join(root, folder), track });
    if (!ok) {
      throw new SetupError("tool", `${folder}: the target "${target}" does not build, as said above: mend its source`, {
        output,
      });
    }
  }
}

/**
 * What Node runs, one after the other in the package's folder, to make one module.
 *
 * @param {string} root
 * @param {string} folder  of the package
 * @param {string} target
 * @param {string} outFile
 * @param {{ keepNames?: boolean }} [options]  `keepNames` for a module with the names of its functions
 * @returns {string[][]}
 */
export function wasmCommands(root, folder, target, outFile, { keepNames = false } = {}) {
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const config = ["--config", "asconfig.json", "--target", target, "--outFile", outFile];
  const compile = [asc, `assembly/${target}.ts`, ...config, ...(keepNames ? ["--debug"] : [])];
  const passes = passesOf(root, folder)[target];
  if (passes === undefined) return [compile];
  const wasmOpt = join(root, "node_modules/binaryen/bin/wasm-opt");
  return [compile, [wasmOpt, ...FEATURES, ...passes, ...(keepNames ? ["-g"] : []), outFile, "-o", outFile]];
}

function passesOf(root, folder) {
  const path = join(root, folder, OPT_CONFIG);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

function outputsOf(root, folder) {
  return targetsOf(root, folder).map(([, target]) => join(folder, target.outFile));
}

function targetsOf(root, folder) {
  return Object.entries(JSON.parse(readFileSync(join(root, folder, "asconfig.json"), "utf8")).targets);
}

function toolVersions(root) {
  return ["assemblyscript", "binaryen"]
    .map((name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version)
    .join(" ");
}
