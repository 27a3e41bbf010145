import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { LIMIT_MS, ProcessError } from "./child-process.ts";

/** How a broker's process is started, always on the same port. */
export interface BrokerProgram {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly port: number;
}

/** A real broker in a process of its own, that can be killed and started again. */
export class BrokerProcess {
  readonly #program: BrokerProgram;
  #child: ChildProcess;

  protected constructor(program: BrokerProgram) {
    this.#program = program;
    this.#child = this.#spawn();
  }

  get port(): number {
    return this.#program.port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Start it again after a kill. */
  async restart(): Promise<void> {
    await this.#gone();
    this.#child = this.#spawn();
    await this.listening();
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone();
  }

  /** Wait until connections are taken. @throws {ProcessError} when they never are */
  protected async listening(): Promise<void> {
    const endMs = performance.now() + LIMIT_MS;
    while (!(await accepts(this.port))) {
      const isOver = performance.now() > endMs || this.#child.exitCode !== null;
      if (isOver) throw new ProcessError("no-answer", { name: this.#program.name, detail: `port ${this.port}` });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #spawn(): ChildProcess {
    return spawn(this.#program.path, this.#program.args, { stdio: "ignore" });
  }

  async #gone(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
  }
}

/** Below those that a system hands out by itself: no connection takes one while its server is down. */
const PORTS = { first: 10_000, end: 32_768 };

/** A port that was free a moment ago; for servers that must come back at the same one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.end);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
