import type { Example } from "./capability.ts";

/** How often answers were right, with the interval of 95 % around it. */
export interface Score {
  readonly correct: number;
  readonly total: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** Of a normal distribution, what has 95 % within. */
const Z = 1.959963984540054;

/**
 * Compare answers with the right ones, character by character.
 *
 * @see Wilson 1927, "Probable inference, the law of succession, and statistical inference", for the interval
 */
export function scoreAnswers(answers: readonly string[], examples: readonly Example[]): Score {
  const correct = examples.filter(({ answer }, at) => answers[at] === answer).length;
  return scoreOf(correct, examples.length);
}

/** A share with its interval; all of 0 … 1 where nothing was asked. */
export function scoreOf(correct: number, total: number): Score {
  if (total === 0) return { correct, total, share: 0, low: 0, high: 1 };
  const share = correct / total;
  const spread = Z * Math.sqrt((share * (1 - share)) / total + (Z * Z) / (4 * total * total));
  const middle = share + (Z * Z) / (2 * total);
  const scale = 1 + (Z * Z) / total;
  return {
    correct,
    total,
    share,
    low: Math.max(0, (middle - spread) / scale),
    high: Math.min(1, (middle + spread) / scale),
  };
}
