import * as v from "valibot";
import { CATEGORIES, type Category } from "./capability.ts";
import {
  type DistilOptions,
  distilSchema,
  type ProfileOptions,
  profileSchema,
  type StudentOptions,
  studentSchema,
  type TeacherOptions,
  teacherSchema,
} from "./options.ts";

/** Everything that a run does unless its configuration says otherwise. */
export interface Preset {
  readonly categories: readonly Category[];
  readonly teacher: TeacherOptions;
  readonly profile: ProfileOptions;
  readonly student: StudentOptions;
  readonly distil: DistilOptions;
  /** Held-out prompts of each capability. */
  readonly prompts: number;
}

/** `quick` is what a test of every change has time for; `docs/results/distillation.md` has what each takes. */
export const PRESETS: Readonly<Record<"usual" | "quick", Preset>> = {
  usual: {
    categories: CATEGORIES,
    teacher: v.parse(teacherSchema, {
      size: { layers: 3, heads: 4, kvHeads: 2, width: 48, hidden: 128 },
      ...{ steps: 700, tokens: 640, learningRate: 1e-2, weightDecay: 0.05, questions: 4000 },
    }),
    profile: v.parse(profileSchema, { maxRank: 3 }),
    student: v.parse(studentSchema, { size: { layers: 2, heads: 4, kvHeads: 2, width: 48, hidden: 96 } }),
    distil: v.parse(distilSchema, {
      backbone: { steps: 900, tokens: 640, learningRate: 8e-3, weightDecay: 0.05, questions: 8000 },
      adapters: { steps: 100, tokens: 768, learningRate: 3e-3, questions: 4000 },
      joint: { steps: 150, tokens: 640, learningRate: 2e-3, matrixRate: 5e-3, questions: 6000 },
    }),
    prompts: 200,
  },
  quick: {
    categories: ["signal", "facts", "code", "language"],
    teacher: v.parse(teacherSchema, {
      size: { layers: 2, heads: 4, kvHeads: 2, width: 48, hidden: 96 },
      ...{ steps: 400, tokens: 640, learningRate: 1e-2, weightDecay: 0.05, questions: 4000 },
    }),
    profile: v.parse(profileSchema, { questions: 64, maxRank: 2 }),
    student: v.parse(studentSchema, { size: { layers: 2, heads: 4, kvHeads: 2, width: 48, hidden: 96 } }),
    distil: v.parse(distilSchema, {
      backbone: { steps: 600, tokens: 512, learningRate: 1e-2, weightDecay: 0.05, questions: 5000 },
      adapters: { steps: 80, tokens: 512, learningRate: 3e-3, questions: 2000 },
      joint: { steps: 100, tokens: 512, learningRate: 2e-3, matrixRate: 5e-3, questions: 4000 },
    }),
    prompts: 100,
  },
};
