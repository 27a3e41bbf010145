import { join } from "node:path";
import {
  benchmarkOf,
  buildStudent,
  type Category,
  capabilityOf,
  distilAdapter,
  distilBackbone,
  distilJointly,
  makeTeacher,
  openStudent,
  openTeacher,
  profileTeacher,
  type RunHooks,
  type Source,
  scoreAnswers,
} from "@lockstep/cloud-node/lab";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { benchRun, PRESET } from "./distillation-place.ts";

/** What α is chosen on, and what is then judged by it: students of the second have no part in the choice. */
const CHOOSING_SEEDS = [11, 12, 13];
const JUDGED_SEEDS = [4, 5, 6];
const WEIGHTS = [0.1, 0.3, 1];
/** Of teachers, the same for all students. */
const TEACHER_SEED = 42;
const PROMPTS = 200;
/** All learn for so much of the preset's steps: with more, all know everything, and there is nothing to compare. */
const SHARE_OF_STEPS = 0.35;
/** Points: less is no difference. */
const LEAST_GAIN = 0.1;

/** Students that are held to their teachers' subspaces, beside students that learn from outputs alone: the same of everything else. */
export const anchorsPart: BenchPart = { name: "anchors", run: benchAnchors };

async function benchAnchors({ isQuick, folder, say }: PartPlace): Promise<PartFindings> {
  const run = benchRun(say);
  const sources = await makeSources(join(folder, "teachers"), isQuick, run);
  const teachers = new Map<Category, number>();
  for (const [category, { teacher }] of sources) {
    const answerer = await openTeacher(teacher, "float32", run);
    teachers.set(category, await scoreOf(category, answerer));
    answerer.close();
  }
  const judge = async (seed: number, weight: number) => {
    const trial = { sources, teachers, seed, isQuick, run, weight };
    const judged = await teachStudent(join(folder, `${seed}-${weight}`), trial);
    say(`seed ${seed}, anchors at ${weight}: keeps ${judged.mean.toFixed(4)} in ${judged.cpuSeconds.toFixed(1)} CPU s`);
    return judged;
  };
  const few = <T>(all: readonly T[]) => (isQuick ? all.slice(0, 1) : all);
  const tried: { weight: number; means: number[] }[] = [];
  for (const weight of few(WEIGHTS)) {
    const means: number[] = [];
    for (const seed of few(CHOOSING_SEEDS)) means.push((await judge(seed, weight)).mean);
    tried.push({ weight, means });
  }
  const best = tried.reduce((one, other) => (mean(other.means) > mean(one.means) ? other : one));
  const rows: (string | number)[][] = [];
  const pairs: { seed: number; anchored: Judged; plain: Judged }[] = [];
  for (const seed of few(JUDGED_SEEDS)) {
    const [anchored, plain] = [await judge(seed, best.weight), await judge(seed, 0)];
    pairs.push({ seed, anchored, plain });
    for (const [learning, { kept, mean: share, cpuSeconds }] of [
      ["with anchors", anchored],
      ["outputs alone", plain],
    ] as const) {
      rows.push([seed, learning, ...kept.map(percent), percent(share), cpuSeconds.toFixed(1)]);
    }
  }
  const gains = pairs.map(({ anchored, plain }) => anchored.mean - plain.mean);
  return {
    tables: [
      {
        title: `What students keep of their teachers' exact answers, after the same ${stepsOf(isQuick)} steps on the same questions, %`,
        columns: ["seed", "learning", ...sources.keys(), "mean", "CPU s"],
        rows,
      },
      {
        title: "α was chosen on other seeds: the mean that students keep, %",
        columns: ["α", ...few(CHOOSING_SEEDS).map((seed) => `seed ${seed}`), "mean"],
        rows: tried.map(({ weight, means }) => [weight, ...means.map(percent), percent(mean(means))]),
      },
    ],
    goals: [
      {
        what: "anchors over outputs alone, mean of capabilities and of three seeds",
        ...{ measured: 100 * mean(gains), unit: "points", must: { atLeast: LEAST_GAIN } },
      },
      {
        what: "seeds of three in which anchors are better",
        ...{ measured: gains.filter((gain) => gain > 0).length, unit: "", must: { atLeast: 2 }, aim: 3 },
      },
    ],
    notes: [
      `α is ${best.weight}, the best of ${WEIGHTS.join(", ")} on seeds ${CHOOSING_SEEDS.join(", ")}; the presets have ${PRESET.distil.anchorWeight}. Seeds ${JUDGED_SEEDS.join(", ")} were asked once, with it and without. Both ways take the same steps; what anchors cost beside is in the column of CPU seconds.`,
    ],
    json: {
      anchors: {
        weight: best.weight,
        seeds: pairs.map(({ seed, anchored, plain }) => ({ seed, anchored: anchored.mean, plain: plain.mean })),
      },
    },
  };
}

function stepsOf(isQuick: boolean): number {
  return shorter(PRESET.distil.backbone, isQuick).steps;
}

function shorter<Phase extends { readonly steps: number }>(phase: Phase, isQuick: boolean): Phase {
  return { ...phase, steps: Math.ceil((isQuick ? 0.02 : SHARE_OF_STEPS) * phase.steps) };
}

/** Teachers and their profiles. */
async function makeSources(folder: string, isQuick: boolean, run: RunHooks): Promise<Map<Category, Source>> {
  const sources = new Map<Category, Source>();
  for (const category of PRESET.categories) {
    const [teacher, profile] = [join(folder, category), join(folder, `${category}-profile`)];
    const options = isQuick ? { ...PRESET.teacher, steps: 20 } : PRESET.teacher;
    await makeTeacher(teacher, { category, options, seed: TEACHER_SEED }, run);
    await profileTeacher(profile, { category, teacher, options: PRESET.profile, seed: TEACHER_SEED }, run);
    sources.set(category, { teacher, profile });
  }
  return sources;
}

interface Trial {
  readonly sources: ReadonlyMap<Category, Source>;
  /** Shares of right answers. */
  readonly teachers: ReadonlyMap<Category, number>;
  readonly seed: number;
  readonly weight: number;
  readonly isQuick: boolean;
  readonly run: RunHooks;
}

/** A student, judged. */
interface Judged {
  /** Of each capability, the student's share of right answers over its teacher's. */
  readonly kept: readonly number[];
  readonly mean: number;
  /** Of learning, and not of asking. */
  readonly cpuSeconds: number;
}

async function teachStudent(folder: string, { sources, teachers, seed, weight, isQuick, run }: Trial): Promise<Judged> {
  const begun = process.cpuUsage();
  const { backbone, adapters, joint } = PRESET.distil;
  const phases = {
    ...{ backbone: shorter(backbone, isQuick), adapters: shorter(adapters, isQuick) },
    ...(joint && { joint: shorter(joint, isQuick) }),
  };
  const options = { ...PRESET.distil, ...phases, anchorWeight: weight };
  const at = (name: string) => join(folder, name);
  const profiles = new Map([...sources].map(([category, { profile }]) => [category, profile]));
  await buildStudent(at("drawn"), { profiles, options: PRESET.student, seed }, run);
  await distilBackbone(at("backbone"), { student: at("drawn"), sources, options, seed }, run);
  const taught = new Map<Category, string>();
  for (const [category, source] of sources) {
    await distilAdapter(at(category), { student: at("backbone"), category, source, options, seed }, run);
    taught.set(category, at(category));
  }
  await distilJointly(at("whole"), { student: at("backbone"), adapters: taught, sources, options, seed }, run);
  const cpuSeconds = process.cpuUsage(begun).user / 1e6;
  const student = await openStudent(at("whole"), run);
  const kept: number[] = [];
  for (const category of sources.keys()) kept.push((await scoreOf(category, student)) / (teachers.get(category) ?? 1));
  student.close();
  return { kept, mean: mean(kept), cpuSeconds };
}

async function scoreOf(
  category: Category,
  answerer: { answer(prompt: string): Promise<{ readonly text: string }> },
): Promise<number> {
  const examples = benchmarkOf(capabilityOf(category), PROMPTS);
  const answers: string[] = [];
  for (const { prompt } of examples) answers.push((await answerer.answer(prompt)).text);
  return scoreAnswers(answers, examples).share;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
