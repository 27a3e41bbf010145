/**
 * `npm run site`: the repository's documents and the API reference as static pages, in `docs/build`; a link to nothing
 * is an error. `npm run site -- --serve` shows them afterwards.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { continueOnNode24 } from "../cloud-node/bin/node24.js";

await continueOnNode24(import.meta.url);

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TYPEDOC = fileURLToPath(new URL("../node_modules/typedoc/bin/typedoc", import.meta.url));
const FOLDER = "docs/build";
const { values } = parseArgs({
  options: { serve: { type: "boolean", default: false }, port: { type: "string", default: "4173" } },
});

const { status } = spawnSync(process.execPath, [TYPEDOC, "--out", FOLDER], { cwd: ROOT, stdio: "inherit" });
process.exitCode = status ?? 1;
if (status === 0 && values.serve) {
  const { preview } = await import("vite");
  const server = await preview({
    root: ROOT,
    appType: "mpa",
    build: { outDir: FOLDER },
    preview: { port: Number(values.port), host: "127.0.0.1" },
  });
  server.printUrls();
}
