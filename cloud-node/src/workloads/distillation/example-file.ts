import * as v from "valibot";
import { DistillationError } from "./distillation-error.ts";

/** One line holds one prompt, and no text is longer than a small model reads. */
const MOST_CHARACTERS = 4096;
const MOST_LINES = 1_000_000;
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(MOST_CHARACTERS));
const exampleSchema = v.strictObject({ prompt: text, answer: text });

/** A prompt, and the one answer to it that is right. */
export type Example = v.InferOutput<typeof exampleSchema>;

/** Examples as JSON Lines. */
export function formatExamples(examples: readonly Example[]): string {
  return examples.map(({ prompt, answer }) => `${JSON.stringify({ prompt, answer })}\n`).join("");
}

/**
 * Mirror of `formatExamples`.
 *
 * @param file  its path, for errors
 * @throws {DistillationError} `bad-examples`, with the line
 */
export function parseExamples(jsonLines: string, file: string): Example[] {
  const lines = jsonLines.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) throw bad(file, 1, "it has no example");
  if (lines.length > MOST_LINES) throw bad(file, MOST_LINES, `it has more than ${MOST_LINES} lines`);
  return lines.map((line, at) => {
    const { output, issues } = v.safeParse(exampleSchema, jsonOf(line, file, at + 1));
    if (issues === undefined) return output;
    throw bad(file, at + 1, `${v.getDotPath(issues[0]) ?? "the line"}: ${issues[0].message}`);
  });
}

function jsonOf(line: string, file: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw bad(file, number, "the line is no JSON", cause);
  }
}

function bad(file: string, line: number, problem: string, cause?: unknown): DistillationError {
  const remedy = 'write each line as {"prompt": "…", "answer": "…"}';
  return new DistillationError("bad-examples", `${file}:${line}: ${problem}`, remedy, { cause });
}
