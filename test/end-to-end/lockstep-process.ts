import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The command as a person starts it. */
export const LAUNCHER = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));

/** What a finished command left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `lockstep`, its output collected. */
export class LockstepProcess {
  readonly child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
  }

  /** Wait for standard error to match, and give what did. */
  async said(pattern: RegExp): Promise<string> {
    for (;;) {
      const [found] = pattern.exec(this.#stderr) ?? [];
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new RangeError(`ended without saying ${pattern}: ${this.#stderr}`);
      await Promise.race([once(this.child.stderr ?? this.child, "data"), once(this.child, "exit")]);
    }
  }

  /** What it has said by now, on both. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** End it as Ctrl-C does, and wait for the end. */
  async interrupted(): Promise<Finished> {
    this.child.kill("SIGINT");
    return await this.finished();
  }

  /** Wait for the end. */
  async finished(): Promise<Finished> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "close");
    return { code: this.child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }
}

/** Run a command to its end, with these bytes on its standard input. */
export async function runLockstepOn(input: Uint8Array, ...args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: "pipe" });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  // A command that refuses its input closes it.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code]: (number | null)[] = await once(child, "close");
  return { code: code ?? null, stdout: await stdout, stderr: await stderr };
}

/** Run a command to its end. */
export async function runLockstep(...args: string[]): Promise<Finished> {
  return await new LockstepProcess(...args).finished();
}
