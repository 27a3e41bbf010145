import type { ShardedBackend } from "../language-model/open-backend.ts";
import { type AnswerModel, Generator } from "../lora/generator.ts";
import { loadModelFolder } from "../lora/model-folder.ts";
import type { Category } from "./capability.ts";
import { route } from "./router.ts";
import type { RunHooks } from "./run-hooks.ts";
import { readStudent, type Student } from "./student.ts";

/** Tokens of an answer, at most: more than any right one has. */
export const MOST_TOKENS = 32;

/** What a student said, and with which adapter. */
export interface StudentAnswer {
  readonly text: string;
  readonly adapter: Category;
}

/** A student that is asked: its router picks an adapter for every question. */
export class StudentAnswerer {
  readonly #generator: Generator;
  readonly #student: Pick<Student, "router">;
  #active: Category | undefined;

  private constructor(generator: Generator, student: Pick<Student, "router">) {
    this.#generator = generator;
    this.#student = student;
  }

  /**
   * @param model  its backbone
   * @param backend  of one shard
   */
  static async of(
    model: AnswerModel,
    student: Pick<Student, "router" | "adapters">,
    backend: ShardedBackend,
    nowMs: () => number,
  ): Promise<StudentAnswerer> {
    const generator = await Generator.create(model, backend, { adapters: student.adapters, nowMs });
    return new StudentAnswerer(generator, student);
  }

  async answer(prompt: string): Promise<StudentAnswer> {
    const adapter = route(this.#student.router, prompt);
    if (adapter !== this.#active) this.#generator.use(adapter);
    this.#active = adapter;
    const { text } = await this.#generator.answer(prompt, { maxTokens: MOST_TOKENS });
    return { text, adapter };
  }

  close(): void {
    this.#generator.close();
  }
}

/** Open a student from its folder, and from nothing else. @throws as `readStudent` */
export async function openStudent(folder: string, run: Pick<RunHooks, "backend" | "nowMs">): Promise<StudentAnswerer> {
  const model = await loadModelFolder(folder);
  try {
    return await StudentAnswerer.of(model, await readStudent(folder), await run.backend(), () => run.nowMs());
  } finally {
    await model.close();
  }
}
