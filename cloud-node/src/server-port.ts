import type { Server } from "node:net";
import { PortError } from "./port-error.ts";

/** Wait until a server listens. @throws {PortError} */
export function listening(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const code = cause.code === "EADDRINUSE" ? "port-taken" : "cannot-listen";
      reject(new PortError(code, { port, detail: cause.message }, { cause }));
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => resolve());
  });
}

/** The port that a listening server has. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
