import { once } from "node:events";
import { lstatSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { fileError, isSystemError } from "./file-error.ts";
import { beforeProcessEnds } from "./process-end.ts";
import type { RunningProgram } from "./running-program.ts";

/** A Unix socket at which one program after the other can be at a board's UART. */
export interface UartSocket {
  close(): Promise<void>;
}

/**
 * Offer a program's UART at a Unix socket, to one at a time. What it says before the first one has come waits for that;
 * from then on it is a wire, and what is said while nobody is there is lost.
 *
 * @throws {RunnerError} `file-failed`: the path is taken, too long, or in no folder
 */
export async function offerUart(program: RunningProgram, path: string): Promise<UartSocket> {
  const server = createServer();
  await listen(server, path);
  const forget = beforeProcessEnds(() => rmSync(path, { force: true }));
  let current: Socket | undefined;
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    if (current !== undefined) {
      socket.destroy();
      return;
    }
    current = socket;
    socket.on("close", () => {
      if (current === socket) current = undefined;
    });
    socket.on("data", (bytes) => program.input.write(bytes));
    program.output.resume();
  });
  program.output.pause();
  program.output.on("data", (bytes: Buffer) => current?.write(bytes));
  // The listener above would have it flow at once.
  program.output.pause();
  return {
    close: async () => {
      // It need not hang up as well: only what was said is still to reach it.
      current?.destroySoon();
      await new Promise((resolve) => server.close(resolve));
      forget();
    },
  };
}

/** One that was killed leaves its socket behind, at which nobody listens. */
async function listen(server: Server, path: string): Promise<void> {
  const start = () => once(server.listen(path), "listening");
  try {
    await start().catch(async (error: unknown) => {
      const isTaken = isSystemError(error) && error.code === "EADDRINUSE";
      if (!isTaken || !(await isDeserted(path))) throw error;
      rmSync(path);
      await start();
    });
  } catch (cause) {
    throw fileError(cause, path, { flag: "--socket" });
  }
}

async function isDeserted(path: string): Promise<boolean> {
  // A connection to a plain file is refused too.
  if (!lstatSync(path).isSocket()) return false;
  const probe = connect(path);
  const code = await once(probe, "connect").then(
    () => "",
    (error: unknown) => (isSystemError(error) ? error.code : ""),
  );
  probe.destroy();
  return code === "ECONNREFUSED";
}
