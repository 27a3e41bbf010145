import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findNode24 } from "../../cloud-node/bin/node24.js";
import { runTool } from "./run-tool.js";
import { SetupError } from "./setup-error.js";
import { contentHash, isStamped, writeStamp } from "./stamp.js";

const STAMP = "page";
const PAGE = "cloud-node/dashboard";
/** The page shares types and number formats with the server that feeds it. */
const SHARED = ["cloud-node/src/api"];

/**
 * The web page, by Vite, into `cloud-node/dashboard/dist`.
 *
 * @param {string} root
 * @returns {import("./main.js").Step}
 */
export function buildPageStep(root) {
  const versions = () =>
    ["vite", "preact", "uplot"]
      .map((name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version)
      .join(" ");
  const hash = () => contentHash(root, [PAGE, ...SHARED], (path) => !path.endsWith(".test.ts"), versions());
  const outputs = [join(PAGE, "dist/index.html")];
  return {
    doing: "building the page",
    done: "built the page",
    isDone: () => !existsSync(join(root, PAGE, "index.html")) || isStamped(root, STAMP, hash(), outputs),
    async run(track) {
      const built = hash();
      const node = findNode24();
      if ("problem" in node) throw new SetupError("unsupported-platform", node.problem);
      const vite = join(root, "node_modules/vite/bin/vite.js");
      const args = [vite, "build", PAGE, "--logLevel", "warn", "--emptyOutDir"];
      const { ok, output } = await runTool(node.path, args, { cwd: root, track });
      if (!ok) throw new SetupError("tool", "the page does not build, as said above: mend its source", { output });
      writeStamp(root, STAMP, built);
    },
  };
}
