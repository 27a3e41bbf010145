import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { programPath } from "../os-package.ts";
import { becomes, HOST } from "./target.ts";

const START_MS = 30_000;

/** Debian's mosquitto with the rules that `lockstep devices mosquitto` writes, or with none. */
export class GuardedMosquitto {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /**
   * @param folder  where its configuration is put
   * @param included  the folder with the rules, which say where it listens; nothing: everybody may do everything
   */
  static async start(folder: string, port: number, included: string | undefined): Promise<GuardedMosquitto> {
    const configuration = join(folder, "mosquitto.conf");
    // The folder is this user's alone, so mosquitto stays this user.
    const rules = included === undefined ? `listener ${port} ${HOST}\nallow_anonymous true` : `include_dir ${included}`;
    writeFileSync(configuration, `user root\n${rules}\n`);
    const child = spawn(programPath("mosquitto"), ["-c", configuration], { stdio: "ignore" });
    const mosquitto = new GuardedMosquitto(port, child);
    let isUp = false;
    const look = () => {
      const socket = connect({ host: HOST, port });
      socket.on("connect", () => {
        isUp = true;
        socket.destroy();
      });
      socket.on("error", () => {
        if (child.exitCode === null) setTimeout(look, 20);
      });
    };
    look();
    if (!(await becomes(() => isUp, START_MS))) throw new RangeError(`mosquitto does not listen with ${configuration}`);
    return mosquitto;
  }

  get url(): string {
    return `mqtt://${HOST}:${this.port}`;
  }

  /** Take its files as they are by now. */
  reload(): void {
    this.#child.kill("SIGHUP");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}
