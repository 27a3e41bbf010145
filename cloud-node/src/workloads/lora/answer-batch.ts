import type { TokenizedExample } from "./tokenized-example.ts";

/** How large the batches of a program are. */
export interface BatchShape {
  readonly shards: number;
  /** Sequences of a shard. */
  readonly sequences: number;
  /** Tokens of a sequence, T. */
  readonly length: number;
  /** Tokens of an answer at most. */
  readonly answers: number;
}

/** Sequences of one length, and of them the tokens that are to be foreseen: those of answers. */
export interface AnswerBatch {
  /** Shape (shards, sequences, length). */
  readonly tokens: Int32Array;
  /** Shape (shards, sequences, answers): rows of the shard, whose tokens stand in front of the targets. */
  readonly asked: Int32Array;
  /** In the shape of `asked`; −1 where nothing is asked. */
  readonly targets: Int32Array;
  /** Targets that are asked. */
  readonly count: number;
}

/** Lengths are rounded up to it: kernels take so many rows at a time. */
const LENGTH_STEP = 8;

/** A shape that all of some examples fit in. */
export function shapeFor(examples: readonly TokenizedExample[], sequences: number, shards: number): BatchShape {
  // The last token is foreseen, and nothing is foreseen from it.
  const longest = Math.max(1, ...examples.map(({ tokens }) => tokens.length - 1));
  const answers = Math.max(1, ...examples.map(({ tokens, answerFrom }) => tokens.length - answerFrom));
  return { shards, sequences, length: Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP, answers };
}

/**
 * Lay examples out, one behind the other; sequences that are left over foresee nothing. Behind an example's end there are
 * zeros, which nothing in front of them sees.
 *
 * @param examples  as many as there are sequences, or fewer
 */
export function layOutBatch(examples: readonly TokenizedExample[], shape: BatchShape): AnswerBatch {
  const { shards, sequences, length, answers } = shape;
  const tokens = new Int32Array(shards * sequences * length);
  const asked = new Int32Array(shards * sequences * answers);
  const targets = new Int32Array(asked.length).fill(-1);
  let count = 0;
  for (const [at, example] of examples.entries()) {
    const inputs = example.tokens.subarray(0, -1);
    tokens.set(inputs, at * length);
    const firstRow = (at % sequences) * length;
    for (let row = example.answerFrom - 1; row < inputs.length; row += 1) {
      const place = at * answers + row - (example.answerFrom - 1);
      asked[place] = firstRow + row;
      targets[place] = example.tokens[row + 1] as number;
      count += 1;
    }
  }
  return { tokens, asked, targets, count };
}
