import { RandomStream } from "../../tensor/random.ts";
import { type Batch, type BatchSource, countTargets } from "./batch.ts";
import { BestFitPacking } from "./best-fit-packing.ts";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import { LanguageModelError } from "./language-model-error.ts";
import { RandomCrops } from "./random-crops.ts";
import type { RunConfig } from "./run-config.ts";
import { documentsOf, splitDocuments, splitTokens } from "./text-split.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Parts of a text: one to learn from, one to be judged by. */
export type Part = "train" | "val";

/** A text as batches. */
export interface RunData {
  readonly tokenizer: Tokenizer;
  /** In each part. */
  readonly tokens: Readonly<Record<Part, number>>;
  /** What is learned from. */
  readonly training: BatchSource;
  /** Batches to be judged by at a step: the same whenever they are asked for. */
  evaluation(part: Part, step: number): BatchSource;
}

/**
 * A text cut, tokenized and packed as a configuration says.
 *
 * @param tokenizer  given where it is known already: of `hf`, and of a run that goes on
 * @throws {LanguageModelError} `text-too-short`, `unknown-character`, `bad-config`
 */
export function prepareData(config: RunConfig, text: string, tokenizer?: Tokenizer): RunData {
  const { data, model } = config;
  const known = tokenizer ?? newTokenizer(config, text);
  const { tokens, source } = data.packing === "crops" ? cropped(config, text, known) : packed(config, text, known);
  const rows = (part: Part, stream: string) => source(part, data.rows, model.context, stream);
  return {
    tokenizer: known,
    tokens,
    training: rows("train", "rows"),
    evaluation: (part, step) => rows(part, `evaluation.${part}/${step}`),
  };
}

function newTokenizer({ data }: RunConfig, text: string): Tokenizer {
  if (data.tokenizer === "byte") return new ByteTokenizer();
  if (data.tokenizer === "char") return CharTokenizer.of(text);
  const remedy = "give it with --tokenizer FILE";
  throw new LanguageModelError("bad-config", "data.tokenizer: hf needs a tokenizer.json", remedy);
}

interface Parts {
  readonly tokens: Record<Part, number>;
  readonly source: (part: Part, rows: number, context: number, stream: string) => BatchSource;
}

function cropped({ data, model, seed }: RunConfig, text: string, tokenizer: Tokenizer): Parts {
  const [train, val] = splitTokens(tokenizer.encode(text), data.trainShare, model.context);
  const parts = { train, val };
  return {
    tokens: { train: train.length, val: val.length },
    source: (part, rows, context, name) =>
      new RandomCrops(parts[part], rows, context, (draws) => new RandomStream(seed, name, draws)),
  };
}

function packed({ data }: RunConfig, text: string, tokenizer: Tokenizer): Parts {
  const documents = documentsOf(text, data.documents).map((document) => {
    const ids = tokenizer.encode(document);
    const whole = new Int32Array(ids.length + 1);
    whole[0] = tokenizer.bos;
    whole.set(ids, 1);
    return whole;
  });
  const [train, val] = splitDocuments(documents, data.trainShare);
  const parts = { train, val };
  const count = (part: readonly Int32Array[]) => part.reduce((sum, { length }) => sum + length, 0);
  return {
    tokens: { train: count(train), val: count(val) },
    source: (part, rows, context) => new BestFitPacking(parts[part], rows, context),
  };
}

/** How well a model foresees a part of the text. */
export interface Judgement {
  /** Mean over the tokens that count, nats. */
  readonly loss: number;
  readonly bitsPerByte: number;
}

/**
 * nanoGPT's estimate and nanochat's at once: over some batches the mean loss in nats, and the loss in bits for each byte of
 * the text that was to be foreseen. Tokens without bytes, such as a document's beginning, do not count.
 *
 * @param loss  mean over a batch's targets that are not −1, nats; NaN of a batch without any
 * @param goesOn  asked in front of every batch
 * @returns undefined where it did not go on
 * @see A. Karpathy, nanochat, `nanochat/loss_eval.py`
 */
export async function judge(
  source: BatchSource,
  batches: number,
  tokenizer: Tokenizer,
  loss: (batch: Batch) => Promise<number>,
  goesOn: () => Promise<boolean>,
): Promise<Judgement | undefined> {
  let nats = 0;
  let tokens = 0;
  let bytes = 0;
  for (let i = 0; i < batches; i += 1) {
    if (!(await goesOn())) return undefined;
    const batch = source.next();
    for (const [at, target] of batch.targets.entries()) {
      const own = target < 0 ? 0 : tokenizer.bytesOf(target, batch.inputs[at]);
      if (own === 0) batch.targets[at] = -1;
      bytes += own;
    }
    const count = countTargets(batch.targets);
    if (count === 0) continue;
    nats += count * (await loss(batch));
    tokens += count;
  }
  return { loss: nats / tokens, bitsPerByte: nats / (Math.LN2 * bytes) };
}
