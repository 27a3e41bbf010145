import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Long enough for the slowest machine; reached only when something is broken. */
export const LIMIT_MS = 60_000;

/** A process did not do what a test waits for. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";
  readonly code: "ended" | "no-answer";

  constructor(code: "ended" | "no-answer", facts: { readonly name: string; readonly detail: string }) {
    super(`${facts.name}: ${code === "ended" ? "ended before it answered" : "did not answer"}: ${facts.detail}`);
    this.code = code;
  }
}

/** A script of this folder in a process of its own, with typed messages both ways. */
export class ScriptProcess<Request, Reply extends { readonly kind: string }> {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #replies: Reply[] = [];
  readonly #waiting = new Set<() => void>();
  #errors = "";

  /**
   * @param order  its only argument, as JSON
   * @param environment  that of this process unless given
   * @param flags  of Node
   */
  constructor(
    script: string,
    order: unknown,
    environment: NodeJS.ProcessEnv = process.env,
    flags: readonly string[] = [],
  ) {
    this.name = script;
    const path = fileURLToPath(new URL(script, import.meta.url));
    const args = [...flags, "--disable-warning=ExperimentalWarning", path, JSON.stringify(order)];
    this.#child = spawn(process.execPath, args, {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      env: environment,
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4_000);
    });
    this.#child.on("message", (reply) => {
      this.#replies.push(reply as Reply);
      this.#wake();
    });
    this.#child.on("exit", () => this.#wake());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  send(request: Request): void {
    this.#child.send(request as object);
  }

  /**
   * The next reply of this kind; earlier ones of other kinds stay.
   *
   * @throws {ProcessError} when the process ends without one, or takes too long
   */
  async reply<Kind extends Reply["kind"]>(kind: Kind, limitMs = LIMIT_MS): Promise<Extract<Reply, { kind: Kind }>> {
    const endMs = performance.now() + limitMs;
    for (;;) {
      const at = this.#replies.findIndex((reply) => reply.kind === kind);
      if (at >= 0) return this.#replies.splice(at, 1)[0] as Extract<Reply, { kind: Kind }>;
      if (this.hasEnded) throw new ProcessError("ended", { name: this.name, detail: this.#errors });
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new ProcessError("no-answer", { name: this.name, detail: `${kind} in ${limitMs} ms` });
      await this.#change(leftMs);
    }
  }

  /** kill -9, and wait until it is gone. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.#child.kill("SIGKILL");
    await this.ended();
  }

  async ended(): Promise<void> {
    if (!this.hasEnded) await once(this.#child, "exit");
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }
}
