import { CATEGORIES, type Category } from "./capability.ts";
import type { DistilOptions, ProfileOptions, StudentOptions, TeacherOptions } from "./options.ts";

/** Everything that a run does unless its configuration says otherwise. */
export interface Preset {
  readonly categories: readonly Category[];
  readonly teacher: Partial<TeacherOptions>;
  readonly profile: Partial<ProfileOptions>;
  readonly student: Partial<StudentOptions>;
  readonly distil: Partial<DistilOptions>;
  /** Held-out prompts of each capability. */
  readonly prompts: number;
}

/** `quick` ends within a minute or two, `usual` within half an hour. */
export const PRESETS: Readonly<Record<"usual" | "quick", Preset>> = {
  usual: {
    categories: CATEGORIES,
    teacher: {
      size: { layers: 2, heads: 4, kvHeads: 4, width: 64, hidden: 128 },
      ...{ steps: 600, batch: 32, learningRate: 3e-3 },
    },
    profile: {},
    student: { size: { layers: 2, heads: 4, kvHeads: 2, width: 64, hidden: 96 } },
    distil: {
      backbone: { steps: 600, batch: 12, learningRate: 3e-3, weightDecay: 0, questions: 4000 },
      adapters: { steps: 200, batch: 16, learningRate: 2e-3, weightDecay: 0, questions: 4000 },
    },
    prompts: 200,
  },
  quick: {
    categories: CATEGORIES.slice(0, 4),
    teacher: {
      size: { layers: 2, heads: 2, kvHeads: 2, width: 32, hidden: 64 },
      ...{ steps: 150, batch: 16, learningRate: 5e-3 },
    },
    profile: { questions: 64 },
    student: { size: { layers: 2, heads: 2, kvHeads: 2, width: 32, hidden: 64 } },
    distil: {
      backbone: { steps: 200, batch: 8, learningRate: 5e-3, weightDecay: 0, questions: 1000 },
      adapters: { steps: 40, batch: 8, learningRate: 3e-3, weightDecay: 0, questions: 1000 },
    },
    prompts: 60,
  },
};
