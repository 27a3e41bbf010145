/**
 * Preloaded by a command: Ctrl-C comes in the middle of the first write to its output. The disk takes a half of it, and
 * says so only once the command has given up.
 */
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";

const { open } = promises;
promises.open = async (path, ...rest) => {
  const file = await open(path, ...rest);
  if (!String(path).endsWith(".part")) return file;
  const [write, createWriteStream] = [file.write.bind(file), file.createWriteStream.bind(file)];
  Object.assign(file, {
    createWriteStream: (options: Parameters<typeof createWriteStream>[0]) => {
      const stream: Writable = createWriteStream(options);
      Object.assign(file, {
        write: async (bytes: Uint8Array, offset: number, length: number, position: number | null) => {
          Object.assign(file, { write });
          const half = await write(bytes, offset, length >> 1, position);
          process.kill(process.pid, "SIGINT");
          while (!stream.destroyed) await setImmediate();
          return half;
        },
      });
      return stream;
    },
  });
  return file;
};
syncBuiltinESMExports();
