import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openBackend } from "../language-model/open-backend.ts";
import { openBundledStudent } from "./bundled-student.ts";
import type { Category } from "./capability.ts";
import { parseExamples } from "./example-file.ts";
import type { GateAnswer, GateRequest } from "./gate-messages.ts";
import { openStudent } from "./student-answerer.ts";
import { WEIGHTS_FILE } from "./student-bundle.ts";

/** Ask a student, bundled or not, all prompts of some benchmarks. @throws as `openStudent`, `parseExamples` */
export async function answerBenchmarks(
  folder: string,
  benchmarks: GateRequest["benchmarks"],
): Promise<Pick<GateAnswer, "answers" | "adapters">> {
  const backend = () => openBackend({ name: "wasm-strict", shards: 1, threads: 1 });
  const open = existsSync(join(folder, WEIGHTS_FILE)) ? openBundledStudent : openStudent;
  const student = await open(folder, { backend, nowMs: () => performance.now() });
  try {
    const answers: Record<string, string[]> = {};
    const adapters: Record<string, Category[]> = {};
    for (const [category, path] of Object.entries(benchmarks)) {
      const given: { readonly text: string; readonly adapter: Category }[] = [];
      for (const { prompt } of parseExamples(await readFile(path, "utf8"), path)) {
        given.push(await student.answer(prompt));
      }
      answers[category] = given.map(({ text }) => text);
      adapters[category] = given.map(({ adapter }) => adapter);
    }
    return { answers, adapters };
  } finally {
    student.close();
  }
}
