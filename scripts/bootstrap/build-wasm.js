import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, posix } from "node:path";
import { findNode24 } from "../../cloud-node/bin/node24.js";
import { runTool } from "./run-tool.js";
import { SetupError } from "./setup-error.js";
import { contentHash, isStamped, writeStamp } from "./stamp.js";

/** Packages with an `asconfig.json`. */
const WASM_PACKAGES = ["edge-sdk", "cloud-node"];
const IMPORTED = /\bfrom "(\.[^"]+)"/g;

/** What Binaryen does to a target after the compiler, by target; a package may be without it. */
const OPT_CONFIG = "wasm-opt.json";
/** What the modules may use: integers and a memory; `edge-sdk/src/module-gate.ts` refuses the rest. */
const FEATURES = ["--mvp-features", "--enable-mutable-globals"];

/**
 * The WebAssembly modules: every target of every `asconfig.json`, from `assembly/TARGET.ts`, each built once per change of
 * what it is compiled from. Targets that `wasm-opt.json` names go through Binaryen once more with the options given there.
 *
 * @param {string} root
 * @returns {import("./main.js").Step[]}
 */
export function buildWasmSteps(root) {
  return WASM_PACKAGES.map((folder) => ({
    doing: `building the WebAssembly of ${folder}`,
    done: `built the WebAssembly of ${folder}`,
    isDone: () => staleTargets(root, folder).length === 0,
    async run(track) {
      const stale = staleTargets(root, folder);
      // More at a time than there are cores would only be in each other's way.
      const build = async () => {
        for (let next = stale.shift(); next !== undefined; next = stale.shift()) {
          await buildTarget(root, folder, next.target, track);
          writeStamp(root, next.stamp, next.hash);
        }
      };
      await Promise.all(Array.from({ length: availableParallelism() }, build));
    },
  }));
}

/** Targets whose module is not there, or was compiled from something else. */
function staleTargets(root, folder) {
  if (!existsSync(join(root, folder, "asconfig.json"))) return [];
  return targetsOf(root, folder)
    .map(([target, { outFile }]) => ({
      target,
      outFile,
      stamp: `wasm-${folder}-${target}`,
      hash: targetHash(root, folder, target),
    }))
    .filter(({ stamp, hash, outFile }) => !isStamped(root, stamp, hash, [join(folder, outFile)]));
}

function targetHash(root, folder, target) {
  const { options, targets } = JSON.parse(readFileSync(join(root, folder, "asconfig.json"), "utf8"));
  const settings = JSON.stringify([options, targets[target], passesOf(root, folder)[target], toolVersions(root)]);
  return contentHash(root, modulesUnder(root, `${folder}/assembly/${target}.ts`), () => true, settings);
}

/**
 * A module's source and all that it imports.
 *
 * @param {string} root
 * @param {string} entry  path from `root`, with `/`, as those it gives
 * @returns {string[]}
 */
export function modulesUnder(root, entry) {
  const found = new Set([entry]);
  for (const path of found) {
    if (!existsSync(join(root, path))) continue;
    for (const [, name] of readFileSync(join(root, path), "utf8").matchAll(IMPORTED)) {
      found.add(posix.join(posix.dirname(path), `${name}.ts`));
    }
  }
  return [...found].sort();
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

function targetsOf(root, folder) {
  return Object.entries(JSON.parse(readFileSync(join(root, folder, "asconfig.json"), "utf8")).targets);
}

function toolVersions(root) {
  return ["assemblyscript", "binaryen"]
    .map((name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version)
    .join(" ");
}
