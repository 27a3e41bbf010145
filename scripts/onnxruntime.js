/**
 * ONNX Runtime for the tensor engine's backend `ort`: a package of its own, which is fetched only when somebody asks
 * for it, as it is larger than everything else together.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PACKAGE = new URL("../cloud-node/onnxruntime/node_modules/onnxruntime-node/package.json", import.meta.url);
const ROOT = new URL("..", import.meta.url);

/** What a person types to get it. */
export const ONNX_RUNTIME_LINE = "npm run onnxruntime";

export function hasOnnxRuntime() {
  return existsSync(PACKAGE);
}

/**
 * Fetch it, unless it is there.
 *
 * @param {(line: string) => void} say
 */
export function installOnnxRuntime(say) {
  if (hasOnnxRuntime()) return;
  say(`fetching onnxruntime-node: ${ONNX_RUNTIME_LINE}`);
  const [command, ...args] = ONNX_RUNTIME_LINE.split(" ");
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) say(`${stdout ?? ""}${stderr ?? ""}`.trimEnd());
}
