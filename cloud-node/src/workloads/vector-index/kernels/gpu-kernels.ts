import { DriverLine, type DriverOptions } from "../../../driver-line.ts";
import { VectorIndexError } from "../vector-index-error.ts";
import type { AnchorKernels, AnchorSums, Assignment, GridShape } from "./anchor-kernels.ts";
import type { GpuAnswer, GpuOrder } from "./gpu-messages.ts";

const PROCESS_URL = new URL(import.meta.url.endsWith(".ts") ? "./gpu-process.ts" : "./gpu-process.js", import.meta.url);

/**
 * The kernels on a graphics processor, in a process of its own. Where a driver aborts that process, another one is
 * started and brought to the same point, once for each order.
 *
 * @throws {VectorIndexError} `no-device` with what is missing
 */
export async function gpuKernels(shape: GridShape, options: DriverOptions): Promise<AnchorKernels> {
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
  readonly #options: DriverOptions;
  readonly #said = new Map<GpuOrder["kind"], GpuOrder>();
  #line: DriverLine<GpuOrder, GpuAnswer> | undefined;

  constructor(shape: GridShape, options: DriverOptions) {
    this.#shape = shape;
    this.#options = options;
  }

  async start(): Promise<unknown> {
    try {
      return (await this.#startOnce()) ?? (await this.#startOnce()) ?? this.#lost();
    } catch (error) {
      // Nobody asks that process again.
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
    this.#line?.end();
  }

  async #startOnce(): Promise<unknown> {
    this.#line = new DriverLine(PROCESS_URL, this.#options);
    const answer = await this.#ask({ kind: "open", shape: this.#shape, isSoftware: this.#options.isSoftware });
    return answer === undefined ? undefined : answerOf(answer);
  }

  /** @returns nothing where the process ended instead of answering */
  async #ask(order: GpuOrder): Promise<GpuAnswer | undefined> {
    return this.#line?.ask(order);
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
