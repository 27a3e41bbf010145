/** Preloaded by a command: Ctrl-C comes when it has just made the file that its output will be. */
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { open } = promises;
promises.open = async (path, ...rest) => {
  const file = await open(path, ...rest);
  if (String(path).endsWith(".part")) process.kill(process.pid, "SIGINT");
  return file;
};
syncBuiltinESMExports();
