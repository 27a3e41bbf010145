import { type FileHandle, open } from "node:fs/promises";
import * as v from "valibot";
import { LanguageModelError } from "./language-model-error.ts";
import type { Model } from "./model.ts";
import { type ModelConfig, settleModel } from "./model-config.ts";
import { BACKEND_CHOICES } from "./open-backend.ts";
import { checkRunConfig } from "./parse-run-config.ts";
import { restoreTokenizer } from "./restore-tokenizer.ts";
import type { RunConfig } from "./run-config.ts";
import { SafetensorsReader } from "./safetensors-reader.ts";
import { checkSeal, writeSealed } from "./sealed-file.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Of the checkpoint's own words; raised when an older program could not go on from it. */
const VERSION = "2";
const FORMAT = "lockstep language model";

const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const progressSchema = v.strictObject({
  /** Updates made. */
  step: count,
  /** Tokens learned from. */
  tokens: count,
  seconds: finite,
  /** Running mean of the loss with weight 0.9 on what was, not yet corrected for its beginning at 0. */
  lossSum: finite,
  /** What the last step did; null in front of the first. */
  last: v.nullable(v.strictObject({ loss: finite, gradientNorm: finite, tokensPerSecond: finite })),
  best: v.nullable(v.strictObject({ step: count, loss: finite, bitsPerByte: finite })),
  /** Of the batches that are learned from. */
  batches: v.unknown(),
});

/** What a run is computed by: the scalar engine, or a backend of the tensor engine. */
export const BACKEND_NAMES = ["scalar", ...BACKEND_CHOICES] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** How far a run is. */
export type RunProgress = v.InferOutput<typeof progressSchema>;

/** Everything that a run goes on from, beside the model's tensors. */
export interface CheckpointHead {
  readonly config: RunConfig;
  /** By which it was computed last: another one goes on with other last bits. */
  readonly backend: BackendName;
  readonly tokenizer: Tokenizer;
  /** SHA-256 of the text. */
  readonly textDigest: string;
  readonly progress: RunProgress;
}

/** Write a checkpoint in place of the one before. @throws {LanguageModelError} `no-room` */
export async function writeCheckpoint(
  path: string,
  model: Pick<Model, "tensors">,
  head: CheckpointHead,
): Promise<void> {
  const { config, backend, tokenizer, textDigest, progress } = head;
  const metadata = new Map([
    ["format", FORMAT],
    ["version", VERSION],
    ["config", JSON.stringify(config)],
    ["backend", backend],
    ["tokenizer", JSON.stringify(tokenizer.toJson())],
    ["text_sha256", textDigest],
    ["progress", JSON.stringify(progress)],
  ]);
  await writeSealed(path, model.tensors(), metadata);
}

/** A checkpoint that is open: its head is read, its tensors are read when a model takes them. */
export class Checkpoint implements CheckpointHead {
  readonly path: string;
  readonly config: RunConfig;
  readonly backend: BackendName;
  readonly tokenizer: Tokenizer;
  readonly textDigest: string;
  readonly progress: RunProgress;
  readonly reader: SafetensorsReader;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, reader: SafetensorsReader, head: CheckpointHead) {
    this.path = path;
    this.#file = file;
    this.reader = reader;
    this.config = head.config;
    this.backend = head.backend;
    this.tokenizer = head.tokenizer;
    this.textDigest = head.textDigest;
    this.progress = head.progress;
  }

  /**
   * All of it is read once, so that one that is damaged anywhere is not taken.
   *
   * @throws {LanguageModelError} `truncated`, `bad-safetensors`, `foreign-checkpoint`, `bad-config`, `bad-tokenizer`,
   * `damaged-checkpoint`; and what the system says
   */
  static async open(path: string): Promise<Checkpoint> {
    const file = await open(path);
    try {
      const reader = await SafetensorsReader.open(file, path);
      const head = await readHead(path, reader.metadata);
      await checkSeal(reader, path);
      return new Checkpoint(path, file, reader, head);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get model(): ModelConfig {
    return settleModel(this.config.model, this.tokenizer.vocabulary);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function readHead(path: string, metadata: ReadonlyMap<string, string>): Promise<CheckpointHead> {
  if (metadata.get("format") !== FORMAT) throw foreign(path, "another program wrote it");
  const version = metadata.get("version");
  if (version !== VERSION) throw foreign(path, `it is of version ${version}, and this program reads ${VERSION}`);
  const progress = v.safeParse(progressSchema, wordAsJson(path, metadata, "progress"));
  if (!progress.success) throw foreign(path, `its progress has ${progress.issues[0].message}`);
  const backend = BACKEND_NAMES.find((name) => name === metadata.get("backend"));
  if (backend === undefined) throw foreign(path, `it is of the backend ${metadata.get("backend")}, which is not here`);
  return {
    config: checkRunConfig(wordAsJson(path, metadata, "config")),
    backend,
    tokenizer: await restoreTokenizer(wordAsJson(path, metadata, "tokenizer")),
    textDigest: metadata.get("text_sha256") ?? "",
    progress: progress.output,
  };
}

function wordAsJson(path: string, metadata: ReadonlyMap<string, string>, name: string): unknown {
  try {
    return JSON.parse(metadata.get(name) ?? "");
  } catch (cause) {
    throw foreign(path, `its ${name} cannot be read`, cause);
  }
}

function foreign(path: string, problem: string, cause?: unknown): LanguageModelError {
  const remedy = "give a checkpoint that `lockstep lm train` wrote";
  return new LanguageModelError("foreign-checkpoint", `${path}: ${problem}`, remedy, { cause });
}
