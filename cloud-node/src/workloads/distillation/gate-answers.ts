import { readFile } from "node:fs/promises";
import { openBackend } from "../language-model/open-backend.ts";
import { parseExamples } from "./example-file.ts";
import type { GateAnswer, GateRequest } from "./gate-messages.ts";
import { openStudent } from "./student-answerer.ts";

/** Ask a student all prompts of some benchmarks. @throws as `openStudent`; {DistillationError} `bad-examples` */
export async function answerBenchmarks(
  folder: string,
  benchmarks: GateRequest["benchmarks"],
): Promise<Pick<GateAnswer, "answers" | "adapters">> {
  const backend = await openBackend({ name: "wasm-strict", shards: 1, threads: 1 });
  const student = await openStudent(folder, { backend: async () => backend, nowMs: () => performance.now() });
  try {
    const answers: Record<string, string[]> = {};
    const adapters: Record<string, string[]> = {};
    for (const [category, path] of Object.entries(benchmarks)) {
      const given: { readonly text: string; readonly adapter: string }[] = [];
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
