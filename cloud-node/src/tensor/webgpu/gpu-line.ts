import { DriverLine, type DriverOptions } from "../../driver-line.ts";
import { TensorError } from "../tensor-error.ts";
import type { GpuAnswer, GpuOrder, GpuValue } from "./gpu-messages.ts";

const PROCESS_URL = new URL(import.meta.url.endsWith(".ts") ? "./gpu-process.ts" : "./gpu-process.js", import.meta.url);

/** Orders to the process with the device. */
export class GpuLine {
  /** Its name, once it is open. */
  readonly device: Promise<string>;
  readonly #line: DriverLine<GpuOrder, GpuAnswer>;
  #engines = 0;

  constructor(options: DriverOptions) {
    this.#line = new DriverLine(PROCESS_URL, options);
    this.device = this.ask({ kind: "open", isSoftware: options.isSoftware }).then(String);
    // Who asks for it hears of it.
    this.device.catch(() => this.#line.end());
  }

  get isOpen(): boolean {
    return this.#line.isOpen;
  }

  /** A number for one more program. */
  nextEngine(): number {
    this.#engines += 1;
    return this.#engines;
  }

  /** @throws {TensorError} what the process refuses; `device-lost` where it is gone */
  async ask(order: GpuOrder): Promise<GpuValue> {
    const answer = await this.#line.ask(order);
    if (answer?.kind === "done") return answer.value;
    if (answer !== undefined) throw new TensorError(answer.code, answer.problem, answer.remedy);
    const problem = "the graphics processor was lost: its driver ended it, or it was taken away";
    throw new TensorError(
      "device-lost",
      problem,
      "go on from the newest checkpoint; where it happens again, use wasm-strict",
    );
  }

  tell(order: GpuOrder): void {
    this.#line.tell(order);
  }
}
