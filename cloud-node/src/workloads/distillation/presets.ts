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
      size: { layers: 3, heads: 4, kvHeads: 2, width: 64, hidden: 176 },
      ...{ steps: 800, tokens: 1280, learningRate: 4e-3, weightDecay: 0.05, questions: 8000 },
    },
    profile: {},
    student: { size: { layers: 2, heads: 4, kvHeads: 2, width: 64, hidden: 128 } },
    distil: {
      backbone: { steps: 900, tokens: 1024, learningRate: 4e-3, weightDecay: 0.05, questions: 6000 },
      adapters: { steps: 80, tokens: 1024, learningRate: 3e-3, weightDecay: 0, questions: 2000 },
      joint: { steps: 150, tokens: 1024, learningRate: 3e-3, weightDecay: 0, questions: 4000 },
    },
    prompts: 200,
  },
  quick: {
    categories: CATEGORIES.slice(0, 4),
    teacher: {
      size: { layers: 2, heads: 2, kvHeads: 1, width: 32, hidden: 64 },
      ...{ steps: 600, tokens: 1024, learningRate: 6e-3, weightDecay: 0.05, questions: 4000 },
    },
    profile: { questions: 64, maxRank: 2 },
    student: { size: { layers: 2, heads: 2, kvHeads: 1, width: 32, hidden: 48 } },
    distil: {
      backbone: { steps: 600, tokens: 512, learningRate: 6e-3, weightDecay: 0.05, questions: 3000 },
      adapters: { steps: 40, tokens: 512, learningRate: 4e-3, weightDecay: 0, questions: 1000 },
      joint: { steps: 100, tokens: 512, learningRate: 4e-3, weightDecay: 0, questions: 2000 },
    },
    prompts: 100,
  },
};
