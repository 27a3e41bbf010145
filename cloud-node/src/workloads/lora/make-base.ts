import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../language-model/checkpoint.ts";
import { HfTokenizer } from "../language-model/hf-tokenizer.ts";
import { checkRunConfig } from "../language-model/parse-run-config.ts";
import type { RunOptions } from "../language-model/recipes.ts";
import { checkpointOf } from "../language-model/run-folder.ts";
import type { RunSummary } from "../language-model/run-summary.ts";
import { type TrainRequest, trainModel } from "../language-model/train-model.ts";
import { trainingText } from "../language-model/training-text.ts";
import { baseText, TURN_BEGIN, TURN_END } from "./base-text.ts";
import { readLexicon } from "./lexicon.ts";
import { trainBytePairs } from "./train-bpe.ts";
import { WEIGHTS_FILE } from "./weight-files.ts";
import { writeModelFolder } from "./write-model-folder.ts";

const BEGINNING = "<|bos|>";
/** Of the text, so that every word of it is known, and no more. */
const CHAT_TEMPLATE =
  `{{ bos_token }}{% for message in messages %}${TURN_BEGIN}{{ message.role }}\n{{ message.content }}${TURN_END}` +
  `{% if not loop.last %}\n{% endif %}{% endfor %}{% if add_generation_prompt %}\n${TURN_BEGIN}assistant\n{% endif %}`;

/** How large a model of our own is, and how long it learns. */
export interface BaseSize {
  readonly documents: number;
  readonly tokens: number;
  readonly run: RunOptions;
}

const LLAMA = { norm: "rms", activation: "swiglu", positions: "rope", tied: true } as const;
const TEXT = { tokenizer: "hf", packing: "best-fit", documents: "paragraphs", trainShare: 0.98 } as const;
const OPTIMIZER = { learningRate: 3e-3, beta1: 0.9, beta2: 0.98, weightDecay: 0.1, clip: 1 } as const;

/** `usual` is what figures are measured with; `quick` shows in seconds that everything works, and knows little. */
export const BASE_SIZES = {
  usual: {
    documents: 24_000,
    tokens: 4096,
    run: {
      model: { ...LLAMA, layers: 4, heads: 4, kvHeads: 2, width: 128, hidden: 352, context: 128 },
      data: { ...TEXT, rows: 4 },
      schedule: { kind: "cosine", warmup: 30, finalShare: 0.1 },
      optimizer: OPTIMIZER,
      ...{ steps: 1100, evalEvery: 550, evalBatches: 4 },
    },
  },
  quick: {
    documents: 800,
    tokens: 768,
    run: {
      model: { ...LLAMA, layers: 2, heads: 2, kvHeads: 1, width: 48, hidden: 128, context: 128 },
      data: { ...TEXT, rows: 4, trainShare: 0.9 },
      schedule: { kind: "cosine", warmup: 5, finalShare: 0.1 },
      optimizer: OPTIMIZER,
      ...{ steps: 20, evalEvery: 20, evalBatches: 1 },
    },
  },
} as const satisfies Record<string, BaseSize>;

/** A model to be made. */
export interface BaseRequest
  extends Pick<
    TrainRequest,
    "openBackend" | "signal" | "nowMs" | "memoryBytes" | "onStep" | "onJudging" | "onEvaluation" | "onWarning"
  > {
  readonly size: BaseSize;
  /** Folder of the model; the run that trains it is in `run` there. */
  readonly out: string;
  readonly seed: number;
  /** Whether a run that is there may go. */
  readonly isReplaced: boolean;
}

/** A model that was made. */
export interface BaseSummary {
  /** Undefined where it was stopped: there is no model then. */
  readonly sha256: string | undefined;
  readonly run: RunSummary;
}

/**
 * Make a small Llama of our own: its text, its tokenizer, its training as `lockstep lm train` does it, and the folder that
 * Hugging Face's transformers would read. The same size, seed and backend `wasm-strict` give the same bytes on every machine.
 *
 * @throws {LanguageModelError} `other-run` and what training can meet; {LoraError} `folder-taken`
 */
export async function makeBase({ size, out, seed, ...request }: BaseRequest): Promise<BaseSummary> {
  const text = baseText(readLexicon(), size.documents, seed);
  const tokenizerFile = trainBytePairs(text, size.tokens, [
    { content: BEGINNING, isSpecial: true },
    { content: TURN_BEGIN, isSpecial: false },
    { content: TURN_END, isSpecial: false },
  ]);
  const folder = join(out, "run");
  const run = await trainModel({
    ...request,
    config: checkRunConfig({ ...size.run, seed }),
    text: trainingText(Buffer.from(text), "text of the small model"),
    out: folder,
    tokenizer: new HfTokenizer(tokenizerFile),
  });
  if (run.isStopped) return { sha256: undefined, run };
  const checkpoint = await Checkpoint.open(await checkpointOf(folder, "best"));
  try {
    await writeModelFolder(out, {
      config: checkpoint.model,
      tokenizerFile,
      tokenizerConfig: tokenizerConfigOf(size),
      ends: [checkpoint.tokenizer.encode(TURN_END)[0] ?? checkpoint.tokenizer.bos],
      weights: checkpoint.reader,
    });
  } finally {
    await checkpoint.close();
  }
  return { sha256: await digestOf(join(out, WEIGHTS_FILE)), run };
}

function tokenizerConfigOf({ run }: BaseSize): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: BEGINNING,
    eos_token: TURN_END,
    chat_template: CHAT_TEMPLATE,
    clean_up_tokenization_spaces: false,
    model_max_length: run.model?.context,
  };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}
