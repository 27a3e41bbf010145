import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { BenchError } from "./bench-error.ts";
import type { BuildAnswer, BuildOrder, SearchAnswer, SubjectOrder } from "./vector-index-messages.ts";

const PROGRAM = fileURLToPath(new URL("vector-index-subject.ts", import.meta.url));

/** An index in a process of its own, which does one thing at a time and nothing unasked. */
export class IndexProcess {
  readonly name: string;
  readonly built: BuildAnswer;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess, built: BuildAnswer) {
    this.name = name;
    this.#child = child;
    this.built = built;
  }

  /** Start a process and have it build. @throws {BenchError} `no-answer` with what went wrong there */
  static async build(name: string, order: Omit<BuildOrder, "kind">): Promise<IndexProcess> {
    const child = fork(PROGRAM, { serialization: "advanced", stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const built = await ask<BuildAnswer>(child, name, { kind: "build", ...order });
    return new IndexProcess(name, child, built);
  }

  /** All queries, once. */
  search(effort: number): Promise<SearchAnswer> {
    return ask<SearchAnswer>(this.#child, this.name, { kind: "search", effort });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.disconnect();
    this.#child.kill();
    await once(this.#child, "exit");
  }
}

function ask<Answer>(child: ChildProcess, name: string, order: SubjectOrder): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const failed = (said: string) => reject(new BenchError("no-answer", { command: `${name}: ${order.kind}`, said }));
    const ended = (code: number | null) => failed(`the process ended with ${code}`);
    child.once("exit", ended);
    child.once("message", (message: { result?: Answer; problem?: string }) => {
      child.off("exit", ended);
      if (message.problem !== undefined) failed(message.problem);
      else resolve(message.result as Answer);
    });
    child.send(order);
  });
}
