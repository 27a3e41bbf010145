import { Worker } from "node:worker_threads";
import { encodeFrame } from "@lockstep/protocol";
import { InvariantError } from "../invariant-error.ts";
import { threadFile } from "../thread-file.ts";
import type { BirthPlan } from "./birth-plan.ts";
import type { DecodeAnswer, DecodeOrder } from "./decode-messages.ts";
import type { ModuleRegistry } from "./module-registry.ts";
import { TrialBatch, type UnpackedResult, unpackResults } from "./trial-batch.ts";
import type { FrameTrial } from "./twin.ts";

/** A frame on its way through a thread. */
export interface ThreadedTrial {
  readonly trial: FrameTrial;
  /** @param result  undefined: the thread is gone, and the frame was not decoded */
  settle(result: UnpackedResult | undefined): void;
}

interface DecodeThreadOptions {
  readonly modules: ModuleRegistry;
  /** Told once when it ends without being asked to, before what it has is handed back: nothing more is to be added. */
  onEnd(reason: string): void;
}

/** For what dies young: batches come and go, and more room for them is memory that nothing needs. */
const YOUNG_MB = 16;
const WORKER_URL = threadFile(import.meta.url, "decode-worker");

/** One thread that decodes. Frames gather until it is flushed, and go over as one message. */
export class DecodeThread {
  readonly #options: DecodeThreadOptions;
  readonly #worker: Worker;
  /** Numbers of what it was told, by birth and lattices. */
  readonly #plans = new Map<string, number>();
  readonly #models = new Set<string>();
  #open: ThreadedTrial[] = [];
  #batch = new TrialBatch();
  readonly #sent: ThreadedTrial[][] = [];
  #isEnded = false;

  constructor(options: DecodeThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(WORKER_URL, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    this.#worker.on("message", (answer: DecodeAnswer) => this.#settle(answer));
    this.#worker.on("error", (error: unknown) => this.#end(error instanceof Error ? error.message : String(error)));
    this.#worker.on("exit", (code) => this.#end(`it ended with exit code ${code}`));
    // It never keeps the process: whoever waits for its frames does.
    this.#worker.unref();
  }

  /** Frames that it has not given back. */
  get waiting(): number {
    return this.#sent.reduce((sum, batch) => sum + batch.length, this.#open.length);
  }

  add(trial: ThreadedTrial): void {
    const { segment, place, bytes } = trial.trial;
    const plan = this.#planOf(segment.plan, segment.lattices);
    this.#batch.add(plan, place, bytes, segment.decoder.saveState());
    this.#open.push(trial);
  }

  flush(): void {
    if (this.#open.length === 0) return;
    const trials = this.#batch.finish();
    this.#batch = new TrialBatch();
    this.#sent.push(this.#open);
    this.#open = [];
    this.#tell({ kind: "trials", trials }, [trials.fields.buffer, trials.bytes.buffer]);
  }

  /** End it; what it has is handed back undecoded. */
  close(): void {
    this.#isEnded = true;
    void this.#worker.terminate();
    this.#giveBack();
  }

  /** @internal For a test: end it as a fault would. */
  async fail(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle({ results }: DecodeAnswer): void {
    // What it had answered before it was ended still comes; its frames were handed back.
    if (this.#isEnded) return;
    const batch = this.#sent.shift();
    if (batch === undefined) throw new InvariantError("a thread answered what it was not asked");
    let i = 0;
    for (const result of unpackResults(results)) {
      batch[i]?.settle(result);
      i += 1;
    }
  }

  #end(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#options.onEnd(reason);
    this.#giveBack();
  }

  #giveBack(): void {
    const left = [...this.#sent.splice(0).flat(), ...this.#open.splice(0)];
    for (const { settle } of left) settle(undefined);
  }

  #planOf({ birth, hash, core }: BirthPlan, lattices: number): number {
    const key = `${hash} ${lattices}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const plan = this.#plans.size;
    this.#plans.set(key, plan);
    const model = core.modelId;
    const wasm = this.#models.has(model) ? undefined : this.#options.modules.bytesOf(model);
    this.#models.add(model);
    this.#tell({ kind: "plan", plan, wasm, birth: encodeFrame(birth), lattices }, []);
    return plan;
  }

  #tell(order: DecodeOrder, transfer: ArrayBuffer[]): void {
    this.#worker.postMessage(order, transfer);
  }
}
