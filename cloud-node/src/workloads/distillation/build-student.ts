import { uniformNumbers } from "../../tensor/random.ts";
import { type Adapter, adaptedMatrices } from "../lora/low-rank.ts";
import type { Category } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { drawnWeights, llamaOf } from "./llama.ts";
import type { StudentOptions } from "./options.ts";
import { readProfile } from "./profile-file.ts";
import { routerParameters, trainRouter } from "./router.ts";
import type { RunHooks } from "./run-hooks.ts";
import { countParameters, type StudentPlan, writeStudent } from "./student.ts";

/** An adapter adds alpha / rank times what its maps say. */
const ALPHA_PER_RANK = 2;
/** What adapters say that they belong to. */
const STUDENT_NAME = "student";

/** A student to be built. */
export interface StudentRequest {
  /** Folders of the teachers' profiles. */
  readonly profiles: ReadonlyMap<Category, string>;
  readonly options: StudentOptions;
  readonly seed: number;
}

/**
 * Build a student that knows nothing yet: a backbone of drawn weights, for each capability an adapter of the rank that its
 * teacher's profile allows, and a router, which is all that learns here.
 *
 * @param out  folder that gets the student
 * @throws {DistillationError} `over-budget` where it would have more parameters than its share of the teachers', `bad-profile`
 */
export async function buildStudent(out: string, request: StudentRequest, run: RunHooks): Promise<StudentPlan> {
  const { options, seed } = request;
  const config = llamaOf(options.size);
  const summaries = [];
  for (const folder of request.profiles.values()) summaries.push((await readProfile(folder)).summary);
  const { targets } = options;
  const adapters = summaries.map(({ category, audit: { rank }, layers }) => {
    return { category, rank, alpha: ALPHA_PER_RANK * rank, targets, layers: layers.map(({ layer }) => layer) };
  });
  const router = await trainRouter(await run.backend(), [...request.profiles.keys()], seed);
  const counts = { ...countParameters(config, adapters), router: routerParameters(router) };
  const teachers = summaries.reduce((sum, { parameters }) => sum + parameters, 0);
  const total = counts.backbone + counts.adapters + counts.router;
  if (total > options.largestShare * teachers) {
    const share = (total / teachers).toFixed(3);
    const problem = `a student of ${total} parameters, ${share} of its teachers' ${teachers}: over ${options.largestShare}`;
    throw new DistillationError("over-budget", problem, "give it a smaller size, or adapters a lower rank");
  }
  const plan: StudentPlan = {
    ...{ format: "lockstep student", version: 1, adapters, parameters: { ...counts, total, teachers } },
  };
  const drawn = adapters.map(({ category, ...head }): [Category, Adapter] => {
    const pairs = adaptedMatrices(config, targets).map(({ name, shape: [outputs = 0, inputs = 0] }) => {
      const down = uniformNumbers(head.rank * inputs, 1 / Math.sqrt(inputs), seed, `${category}/${name}`);
      return [name, { down, up: new Float32Array(outputs * head.rank) }] as const;
    });
    const { rank, alpha } = head;
    return [
      category,
      { rank, alpha, targets, dropout: 0, isRankStabilized: false, base: STUDENT_NAME, pairs: new Map(pairs) },
    ];
  });
  await writeStudent(out, { plan, config, router, weights: drawnWeights(config, seed), adapters: new Map(drawn) });
  return plan;
}
