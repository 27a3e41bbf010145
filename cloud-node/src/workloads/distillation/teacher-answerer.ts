import type { Answerer } from "../lora/answerer.ts";
import { Generator } from "../lora/generator.ts";
import type { Precision } from "./quantized-weights.ts";
import type { RunHooks } from "./run-hooks.ts";
import { MOST_TOKENS } from "./student-answerer.ts";
import { loadTeacher } from "./teacher.ts";

/** A teacher that is asked. */
export interface TeacherAnswerer extends Pick<Answerer, "close"> {
  answer(prompt: string): Promise<{ readonly text: string }>;
}

/** Open a teacher, its weights held in this precision. @throws as `loadTeacher` */
export async function openTeacher(
  folder: string,
  precision: Precision,
  run: Pick<RunHooks, "backend" | "nowMs">,
): Promise<TeacherAnswerer> {
  const teacher = await loadTeacher(folder, precision);
  const generator = await Generator.create(teacher, await run.backend(), { nowMs: () => run.nowMs() });
  return {
    answer: async (prompt) => await generator.answer(prompt, { maxTokens: MOST_TOKENS }),
    close: () => generator.close(),
  };
}
