import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { freePort } from "../../faults/broker-process.ts";
import { programPath } from "../../os-package.ts";
import { BenchError } from "../bench-error.ts";

const LIMIT_MS = 20_000;
const LOOK_MS = 20;

/**
 * When a write is on the disk: before it is answered; every second, and in the system's hands before it is answered; or as
 * Redis comes, with a snapshot a minute at most.
 */
export type RedisKeeping = "durable" | "each-second" | "default";

const OPTIONS: Readonly<Record<RedisKeeping, readonly string[]>> = {
  durable: ["--save", "", "--appendonly", "yes", "--appendfsync", "always"],
  "each-second": ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"],
  default: [],
};

/** Debian's Redis, alone on a port. */
export class RedisServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(folder: string, keeping: RedisKeeping): Promise<RedisServer> {
    const port = await freePort();
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, ...OPTIONS[keeping]];
    const server = new RedisServer(port, spawn(programPath("redis-server"), args, { stdio: "ignore" }));
    const endMs = performance.now() + LIMIT_MS;
    while (!(await server.#answers())) {
      if (performance.now() > endMs) throw new BenchError("no-peer", { name: "redis-server" });
      await setTimeout(LOOK_MS);
    }
    return server;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: this.port });
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
  }
}
