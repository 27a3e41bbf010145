import { join } from "node:path";
import { createInterface } from "node:readline";
import { BUNDLE_FOLDER } from "../../workloads/distillation/bundle-steps.ts";
import { openBundledStudent } from "../../workloads/distillation/bundled-student.ts";
import { checkBundle } from "../../workloads/distillation/check-bundle.ts";
import type { StudentAnswer, StudentAnswerer } from "../../workloads/distillation/student-answerer.ts";
import { isRunFolder } from "../../workloads/distillation/verify-run.ts";
import { LanguageModelError } from "../../workloads/language-model/language-model-error.ts";
import { openBackend } from "../../workloads/language-model/open-backend.ts";
import { LoraError } from "../../workloads/lora/lora-error.ts";
import { CommandError } from "../command-error.ts";
import type { AskDistillOptions } from "../distill.ts";
import { vectorBitsOf } from "../lm/vector-bits.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { checkBundleSignature } from "./bundle-signature.ts";

/** Characters of a question in an error. */
const SHOWN = 40;

/** `lockstep distill ask`: answers come as they are found, a line each. */
export async function runAsk(
  surroundings: Surroundings,
  folder: string,
  questions: readonly string[],
  { key, json }: AskDistillOptions,
): Promise<void> {
  const { clock, env, interrupt, stdin } = surroundings;
  if (questions.length === 0 && stdin.isTTY === true) {
    throw new CommandError("usage", "there is no question", "write it behind the folder, or pipe a line for each");
  }
  const bundle = (await isRunFolder(folder)) ? join(folder, BUNDLE_FOLDER) : folder;
  await checkBundle(bundle);
  if (key !== undefined) await checkBundleSignature(bundle, key);
  const student = await openBundledStudent(bundle, {
    backend: async (shards = 1) =>
      await openBackend({ name: "wasm-strict", shards, threads: 1, vectorBits: vectorBitsOf(env) }),
    nowMs: () => clock.nowMs(),
  });
  try {
    for await (const question of questions.length > 0 ? questions : linesOf(surroundings)) {
      if (interrupt.aborted) return;
      const { text, adapter } = await answerOf(student, question);
      await writeResult(surroundings, json, { question, adapter, answer: text }, text);
    }
  } finally {
    student.close();
  }
}

/** @throws {CommandError} `refused` for what the student cannot read; and as `answer` */
async function answerOf(student: StudentAnswerer, question: string): Promise<StudentAnswer> {
  try {
    return await student.answer(question);
  } catch (cause) {
    const isUnreadable =
      (cause instanceof LanguageModelError && cause.code === "unknown-character") ||
      (cause instanceof LoraError && cause.code === "prompt-too-long");
    if (!isUnreadable) throw cause;
    const begin = question.length > SHOWN ? `${question.slice(0, SHOWN)}…` : question;
    throw new CommandError("refused", `${JSON.stringify(begin)}: ${cause.problem}`, "ask as its teachers were asked", {
      cause,
    });
  }
}

/** Lines of standard input until its end, or until Ctrl-C: whoever writes it may never end it. */
function linesOf({ stdin, interrupt }: Surroundings): AsyncIterable<string> {
  const lines = createInterface({ input: stdin });
  interrupt.addEventListener("abort", () => lines.close(), { once: true });
  return lines;
}
