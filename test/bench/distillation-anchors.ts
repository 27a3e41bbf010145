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

const SEEDS = [1, 2, 3];
/** Of teachers, the same for all students. */
const TEACHER_SEED = 42;
const PROMPTS = 200;
/** Both ways learn for so much of the preset's steps: with more, both know everything, and there is nothing to compare. */
const SHARE_OF_STEPS = 0.35;

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
  const rows: (string | number)[][] = [];
  const gains: number[] = [];
  const means: Record<"anchored" | "plain", number>[] = [];
  for (const seed of isQuick ? SEEDS.slice(0, 1) : SEEDS) {
    const trial = { sources, teachers, seed, isQuick, run };
    const { anchorWeight } = PRESET.distil;
    const anchored = await teachStudent(join(folder, `${seed}-anchored`), { ...trial, weight: anchorWeight });
    const plain = await teachStudent(join(folder, `${seed}-plain`), { ...trial, weight: 0 });
    say(`seed ${seed}: ${anchored.mean.toFixed(4)} with anchors, ${plain.mean.toFixed(4)} without`);
    for (const [learning, { kept, mean: share, cpuSeconds }] of Object.entries({
      "with anchors": anchored,
      "outputs alone": plain,
    })) {
      rows.push([seed, learning, ...kept.map(percent), percent(share), cpuSeconds.toFixed(0)]);
    }
    gains.push(anchored.mean - plain.mean);
    means.push({ anchored: anchored.mean, plain: plain.mean });
  }
  return {
    tables: [
      {
        title: "What students keep of their teachers' exact answers, after the same steps on the same questions, %",
        columns: ["seed", "learning", ...sources.keys(), "mean", "CPU s"],
        rows,
      },
    ],
    goals: [
      {
        what: "anchors over outputs alone, mean of three seeds",
        measured: 100 * mean(gains),
        unit: "points",
        must: { atLeast: 0 },
      },
    ],
    notes: ["Both ways take the same steps; anchors cost CPU time beside."],
    json: { anchors: means },
  };
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
  const share = isQuick ? 0.02 : SHARE_OF_STEPS;
  const shorter = <Phase extends { readonly steps: number }>(phase: Phase): Phase => {
    return { ...phase, steps: Math.ceil(share * phase.steps) };
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
