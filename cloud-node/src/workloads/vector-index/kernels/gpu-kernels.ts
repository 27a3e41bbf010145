import { type ChildProcess, fork, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { VectorIndexError } from "../vector-index-error.ts";
import type { AnchorKernels, AnchorSums, Assignment, GridShape } from "./anchor-kernels.ts";
import type { GpuAnswer, GpuOrder } from "./gpu-messages.ts";

const PROCESS_URL = new URL(import.meta.url.endsWith(".ts") ? "./gpu-process.ts" : "./gpu-process.js", import.meta.url);
/** Mesa without a screen, on the processor. */
const SOFTWARE_ENV = { EGL_PLATFORM: "surfaceless", LIBGL_ALWAYS_SOFTWARE: "1", XDG_RUNTIME_DIR: "/tmp" };

export interface GpuOptions {
  /** OpenGL ES done by the processor (Mesa), which is for tests. */
  readonly isSoftware: boolean;
  /** Called with every process that is started. */
  readonly started?: (pid: number) => void;
}

/**
 * The kernels on a graphics processor, in a process of its own. Where a driver aborts that process, another one is
 * started and brought to the same point, once for each order.
 *
 * @throws {VectorIndexError} `no-device` with what is missing
 */
export async function gpuKernels(shape: GridShape, options: GpuOptions): Promise<AnchorKernels> {
  const line = new GpuLine(shape, options);
  const device = (await line.start()) as string;
  return {
    device,
    load: (rows) => line.say({ kind: "load", rows }, []) as Promise<void>,
    assign: (anchors, k) => line.say({ kind: "assign", anchors, k }, ["load"]) as Promise<Assignment>,
    reduce: (weights) => line.say({ kind: "reduce", weights }, ["load", "assign"]) as Promise<AnchorSums>,
    update: (disturbance) =>
      line.say({ kind: "update", disturbance }, ["load", "assign", "reduce"]) as Promise<Int16Array>,
    close: async () => line.end(),
  };
}

/** Orders to the process, and those that its state came from. */
class GpuLine {
  readonly #shape: GridShape;
  readonly #options: GpuOptions;
  readonly #said = new Map<GpuOrder["kind"], GpuOrder>();
  #child: ChildProcess | undefined;

  constructor(shape: GridShape, options: GpuOptions) {
    this.#shape = shape;
    this.#options = options;
  }

  async start(): Promise<unknown> {
    try {
      return (await this.#startOnce()) ?? (await this.#startOnce()) ?? this.#lost();
    } catch (error) {
      // A process that is still there would keep this one from ending.
      this.end();
      throw error;
    }
  }

  /** @param before  kinds of orders that this one builds on: the last of each is said again to a new process */
  async say(order: GpuOrder, before: readonly GpuOrder["kind"][]): Promise<unknown> {
    this.#said.set(order.kind, order);
    const answer = await this.#ask(order);
    if (answer !== undefined) return answerOf(answer);
    await this.start();
    for (const kind of before) {
      const earlier = this.#said.get(kind);
      if (earlier !== undefined) answerOf((await this.#ask(earlier)) ?? this.#lost());
    }
    return answerOf((await this.#ask(order)) ?? this.#lost());
  }

  end(): void {
    if (this.#child?.connected) this.#child.disconnect();
  }

  async #startOnce(): Promise<unknown> {
    const { isSoftware, started } = this.#options;
    const stdio: StdioOptions = ["ignore", "ignore", "ignore", "ipc"];
    const env = isSoftware ? { env: SOFTWARE_ENV } : {};
    this.#child = fork(PROCESS_URL, [], { serialization: "advanced", execArgv: [], stdio, ...env });
    if (this.#child.pid !== undefined) started?.(this.#child.pid);
    const answer = await this.#ask({ kind: "open", shape: this.#shape, isSoftware });
    return answer === undefined ? undefined : answerOf(answer);
  }

  /** @returns nothing where the process ended instead of answering */
  async #ask(order: GpuOrder): Promise<GpuAnswer | undefined> {
    const child = this.#child;
    if (!child?.connected) return undefined;
    const waiting = new AbortController();
    const given = once(child, "message", { signal: waiting.signal }).then(([answer]) => answer as GpuAnswer);
    // A process that could not be started says so as an error, and `once` then rejects.
    const ended = once(child, "exit", { signal: waiting.signal }).then(
      () => undefined,
      () => undefined,
    );
    child.send(order, () => undefined);
    try {
      return await Promise.race([given.catch(() => undefined), ended]);
    } finally {
      waiting.abort();
    }
  }

  #lost(): never {
    const problem = "the driver of the graphics processor aborted twice";
    throw new VectorIndexError("no-device", problem, "leave the device out, or update the driver");
  }
}

function answerOf(answer: GpuAnswer): unknown {
  if (answer.kind === "done") return answer.value;
  const remedy =
    answer.code === "no-device"
      ? "train on the processor, which gives the same index"
      : "ask for fewer anchors, or train on the processor";
  throw new VectorIndexError(answer.code, answer.problem, remedy);
}
