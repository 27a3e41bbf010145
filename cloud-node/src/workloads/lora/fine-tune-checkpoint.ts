import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import * as v from "valibot";
import { LanguageModelError } from "../language-model/language-model-error.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { SafetensorsReader } from "../language-model/safetensors-reader.ts";
import { checkSeal, writeSealed } from "../language-model/sealed-file.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import type { FineTuneRequest } from "./fine-tune.ts";
import { LoraError } from "./lora-error.ts";
import type { LowRankModel } from "./low-rank-model.ts";

const FORMAT = "lockstep lora";
/** Raised when an older program could not go on from a checkpoint. */
const VERSION = "1";

const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const progressSchema = v.strictObject({
  /** Updates made. */
  step: count,
  seconds: finite,
  trainLoss: v.array(finite),
  validationLoss: v.array(v.strictObject({ step: count, loss: finite })),
});

/** How far a run is. */
export type FineTuneProgress = v.InferOutput<typeof progressSchema>;

/** The file that a run of fine-tuning goes on from. */
export class FineTuneCheckpoint {
  readonly path: string;
  /** SHA-256 of everything that decides what a run computes. */
  readonly #run: string;
  readonly #isResumed: boolean;

  private constructor(path: string, run: string, isResumed: boolean) {
    this.path = path;
    this.#run = run;
    this.#isResumed = isResumed;
  }

  /** @throws {LoraError} `other-run` where there is a file that this run is not to go on from */
  static async open(path: string, request: FineTuneRequest): Promise<FineTuneCheckpoint> {
    const isThere = (await statIfThere(path)) !== undefined;
    if (isThere && request.isResumed !== true) {
      throw new LoraError(
        "other-run",
        `there is a run in ${path}`,
        "go on with it by --resume, or name another folder",
      );
    }
    return new FineTuneCheckpoint(path, await digestOf(request), isThere);
  }

  /** @throws {LanguageModelError} `no-room` */
  async write(model: LowRankModel, progress: FineTuneProgress): Promise<void> {
    const words = { format: FORMAT, version: VERSION, run: this.#run, progress: JSON.stringify(progress) };
    await writeSealed(this.path, model.tensors(), new Map(Object.entries(words)));
  }

  /**
   * Go on from what is there.
   *
   * @returns undefined where nothing is
   * @throws {LoraError} `bad-checkpoint`, `other-run` where another model, other examples or other options made it
   */
  async resume(model: LowRankModel): Promise<FineTuneProgress | undefined> {
    if (!this.#isResumed) return undefined;
    const file = await open(this.path);
    try {
      const reader = await SafetensorsReader.open(file, this.path);
      await checkSeal(reader, this.path);
      const words = reader.metadata;
      if (words.get("format") !== FORMAT || words.get("version") !== VERSION) throw this.#bad("it is of another kind");
      if (words.get("run") !== this.#run) {
        const remedy = "give the model, examples and options that it began with, or name another folder";
        throw new LoraError("other-run", `${this.path} is of another run`, remedy);
      }
      const { output, issues } = v.safeParse(progressSchema, JSON.parse(words.get("progress") ?? "null"));
      if (issues !== undefined) throw this.#bad(`its progress: ${issues[0].message}`);
      await model.restore(reader);
      return output;
    } catch (error) {
      if (error instanceof LanguageModelError) throw this.#bad(error.problem, error);
      if (error instanceof SyntaxError) throw this.#bad("its progress is no JSON", error);
      throw error;
    } finally {
      await file.close();
    }
  }

  #bad(problem: string, cause?: unknown): LoraError {
    const remedy = "remove it and train again";
    return new LoraError("bad-checkpoint", `${this.path}: ${problem}`, remedy, { cause });
  }
}

/** Of the options, the examples and the model with all its weights: a merged one differs from its base in few of them. */
async function digestOf({ model, options, examples, validation }: FineTuneRequest): Promise<string> {
  const { config, weights } = model;
  const hash = createHash("sha256").update(JSON.stringify([options, config]));
  for (const list of [examples, validation]) {
    hash.update(`${list.length};`);
    for (const { tokens, answerFrom } of list) hash.update(`${answerFrom}:${tokens.join(",")};`);
  }
  for (const { name, shape } of parameterSpecs(config)) hash.update(await weights.floats(name, shape));
  return hash.digest("hex");
}
