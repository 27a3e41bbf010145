/**
 * A node that serves for months holds its young heap small: V8 lets it grow to 16 MB three times over, which is a quarter of
 * what a node of a thousand devices takes, and gains nothing (docs/results/cloud.md).
 */
import { fileURLToPath } from "node:url";

/** Node's flag: MB of each half of the young heap. */
export const YOUNG_HEAP_FLAG = "--max-semi-space-size=4";

/** Commands that run for long. */
const LASTING = new Set(["serve"]);

/**
 * Go on as the same process under the flag, where the command lasts and does not have it; else return. Windows cannot.
 *
 * @param {string} scriptUrl  the caller's `import.meta.url`
 */
export function continueWithYoungHeap(scriptUrl) {
  const [, , command = "", ...args] = process.argv;
  const isSet = `${process.execArgv.join(" ")} ${process.env.NODE_OPTIONS ?? ""}`.includes("--max-semi-space-size");
  // Messages of a parent would be lost on the way.
  const hasParent = process.send !== undefined;
  if (!LASTING.has(command) || isSet || hasParent || process.execve === undefined) return;
  if (process.platform === "win32") return;
  const script = fileURLToPath(scriptUrl);
  process.execve(process.execPath, [process.execPath, YOUNG_HEAP_FLAG, ...process.execArgv, script, command, ...args]);
}
