import { openBundledStudent } from "../../workloads/distillation/bundled-student.ts";
import { checkBundle } from "../../workloads/distillation/check-bundle.ts";
import type { StudentAnswer, StudentAnswerer } from "../../workloads/distillation/student-answerer.ts";
import { LanguageModelError } from "../../workloads/language-model/language-model-error.ts";
import { openBackend } from "../../workloads/language-model/open-backend.ts";
import { LoraError } from "../../workloads/lora/lora-error.ts";
import { CommandError } from "../command-error.ts";
import type { AskDistillOptions } from "../distill.ts";
import { vectorBitsOf } from "../lm/vector-bits.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { checkBundleSignature } from "./bundle-signature.ts";
import { givenQuestions, type Question, questionLines } from "./question-lines.ts";
import { findBundle } from "./run-bundle.ts";

/** Characters of a question in an error. */
const SHOWN = 200;
/** What a student cannot read. */
const UNREADABLE = new Set<string>(["unknown-character", "prompt-too-long", "special-in-text"]);

/** `lockstep distill ask`: answers come as they are found, a line each. */
export async function runAsk(
  surroundings: Surroundings,
  folder: string,
  texts: readonly string[],
  { key, json }: AskDistillOptions,
): Promise<void> {
  const { clock, env, interrupt, stdin, stdout } = surroundings;
  if (texts.length === 0 && stdin.isTTY === true) {
    throw new CommandError("usage", "there is no question", "write it behind the folder, or pipe a line for each");
  }
  const bundle = await findBundle(folder);
  await checkBundle(bundle);
  if (key !== undefined) await checkBundleSignature(bundle, key);
  const student = await openBundledStudent(bundle, {
    backend: async (shards = 1) =>
      await openBackend({ name: "wasm-strict", shards, threads: 1, vectorBits: vectorBitsOf(env) }),
    nowMs: () => clock.nowMs(),
  });
  try {
    for await (const question of texts.length > 0 ? givenQuestions(texts) : questionLines(surroundings)) {
      if (interrupt.aborted) {
        // Nobody reads on: that is an ending.
        if (stdout.errored !== null) return;
        throw new CommandError("interrupted", `stopped at ${question.place}`, "");
      }
      const { text, adapter } = await answerOf(student, question);
      await writeResult(surroundings, json, { question: question.text, adapter, answer: text }, text);
    }
  } finally {
    student.close();
  }
}

/** @throws {CommandError} `refused` for what the student cannot read; and as `answer` */
async function answerOf(student: StudentAnswerer, { text, place }: Question): Promise<StudentAnswer> {
  try {
    return await student.answer(text);
  } catch (cause) {
    const isKnown = cause instanceof LanguageModelError || cause instanceof LoraError;
    if (!isKnown || !UNREADABLE.has(cause.code)) throw cause;
    const begin = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
    const remedy = cause.code === "unknown-character" ? "leave out what no teacher was taught" : cause.remedy;
    throw new CommandError("refused", `${place}, ${JSON.stringify(begin)}: ${cause.problem}`, remedy, { cause });
  }
}
