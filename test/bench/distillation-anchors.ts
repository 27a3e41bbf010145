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

type PhaseOptions = typeof PRESET.distil.backbone;

/** What α is looked at on, and what is then judged by it: students of the others have no part in the choice. */
const CHOOSING_SEEDS = [11, 12];
const JUDGED_SEEDS = [14, 15, 16];
/** Of students that have as many questions as the preset. */
const MANY_SEEDS = [4, 5, 6];
const WEIGHTS = [0, 0.5, 1.5];
/** Of teachers, the same for all students. */
const TEACHER_SEED = 42;
const PROMPTS = 200;
/** Different questions of a capability that a student learns from, where they are few. */
const FEW_QUESTIONS = 250;
/** With many questions all learn for so much of the preset's steps: with more, all know everything, and nothing can be compared. */
const SHARE_OF_STEPS = 0.45;
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
  const judge = async (seed: number, weight: number, questions?: number) => {
    const trial = { sources, teachers, seed, weight, questions, isQuick, run };
    const judged = await teachStudent(join(folder, `${seed}-${weight}`), trial);
    say(`seed ${seed}, anchors at ${weight}: keeps ${judged.mean.toFixed(4)} in ${judged.cpuSeconds.toFixed(1)} CPU s`);
    return judged;
  };
  const few = <T>(all: readonly T[]) => (isQuick ? all.slice(0, 1) : all);
  const tried: { readonly weight: number; readonly means: readonly number[] }[] = [];
  for (const weight of few(WEIGHTS)) {
    const means: number[] = [];
    for (const seed of few(CHOOSING_SEEDS)) means.push((await judge(seed, weight, FEW_QUESTIONS)).mean);
    tried.push({ weight, means });
  }
  const best = tried.reduce((one, other) => (mean(other.means) > mean(one.means) ? other : one));
  const { anchorWeight } = PRESET.distil;
  const weights = [...new Set([0, anchorWeight, best.weight])];
  const judged: Trialled[] = [];
  for (const seed of few(JUDGED_SEEDS)) {
    for (const weight of weights) judged.push({ seed, weight, ...(await judge(seed, weight, FEW_QUESTIONS)) });
  }
  const many: Trialled[] = [];
  for (const seed of few(MANY_SEEDS)) {
    for (const weight of [0, anchorWeight]) many.push({ seed, weight, ...(await judge(seed, weight)) });
  }
  const gains = gainsOf(judged, anchorWeight);
  const { backbone } = PRESET.distil;
  const columns = ["seed", "α", ...sources.keys(), "mean", "CPU s"];
  return {
    tables: [
      {
        title: `What students keep of their teachers' exact answers, after the same ${stepsOf(backbone, FEW_QUESTIONS, isQuick)} steps on the same ${FEW_QUESTIONS} questions of each, %`,
        columns,
        rows: judged.map(rowOf),
      },
      {
        title: "The same on other seeds, which α was chosen on: the mean that students keep, %",
        columns: ["α", ...few(CHOOSING_SEEDS).map((seed) => `seed ${seed}`), "mean"],
        rows: tried.map(({ weight, means }) => [weight, ...means.map(percent), percent(mean(means))]),
      },
      {
        title: `With as many questions as the preset has, ${backbone.questions}, after ${stepsOf(backbone, undefined, isQuick)} steps, %`,
        ...{ columns, rows: many.map(rowOf) },
      },
    ],
    goals: [
      {
        what: "anchors over outputs alone, mean of capabilities and of three seeds",
        ...{ measured: 100 * mean(gains), unit: "points", must: { atLeast: LEAST_GAIN } },
      },
      {
        what: "seeds of three in which anchors are better",
        ...{ measured: gains.filter((gain) => gain > 0).length, unit: "", must: { atLeast: JUDGED_SEEDS.length } },
      },
    ],
    notes: [
      `α is ${anchorWeight} in the presets; ${best.weight} was best on seeds ${CHOOSING_SEEDS.join(", ")}; seeds ${JUDGED_SEEDS.join(", ")} had no part in that. Anchors tell a student something of every token, and are worth most where questions are few. Where there are thousands, and steps are what is short, α = ${anchorWeight} gains ${(100 * mean(gainsOf(many, anchorWeight))).toFixed(1)} points on seeds ${MANY_SEEDS.join(", ")}, no more than chance: the goals are of few questions. Both ways take the same steps; what anchors cost beside is in the column of CPU seconds.`,
    ],
    json: {
      anchors: {
        best: best.weight,
        few: judged.map(({ seed, weight, mean: kept }) => ({ seed, weight, kept })),
        many: many.map(({ seed, weight, mean: kept }) => ({ seed, weight, kept })),
      },
    },
  };
}

/** A student, and how it learned. */
interface Trialled extends Judged {
  readonly seed: number;
  readonly weight: number;
}

function rowOf({ seed, weight, kept, mean: share, cpuSeconds }: Trialled): (string | number)[] {
  return [
    seed,
    weight === 0 ? "0: outputs alone" : weight,
    ...kept.map(percent),
    percent(share),
    cpuSeconds.toFixed(1),
  ];
}

/** By seed: what students with anchors keep more. */
function gainsOf(all: readonly Trialled[], anchored: number): number[] {
  return all
    .filter(({ weight }) => weight === anchored)
    .map(
      ({ seed, mean: share }) => share - (all.find((one) => one.seed === seed && one.weight === 0)?.mean ?? Number.NaN),
    );
}

function stepsOf({ steps }: PhaseOptions, questions: number | undefined, isQuick: boolean): number {
  if (isQuick) return Math.ceil(0.02 * steps);
  return questions === undefined ? Math.ceil(SHARE_OF_STEPS * steps) : steps;
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
  /** Of each capability; the preset's unless given. */
  readonly questions?: number | undefined;
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

async function teachStudent(
  folder: string,
  { sources, teachers, seed, weight, questions, isQuick, run }: Trial,
): Promise<Judged> {
  const begun = process.cpuUsage();
  const shorter = (phase: PhaseOptions): PhaseOptions => {
    return { ...phase, steps: stepsOf(phase, questions, isQuick), questions: questions ?? phase.questions };
  };
  const { backbone, adapters, joint } = PRESET.distil;
  const phases = { backbone: shorter(backbone), adapters: shorter(adapters), ...(joint && { joint: shorter(joint) }) };
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
