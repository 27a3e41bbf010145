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
const SHARE_OF_STEPS = 0.5;

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
    const [anchored, plain] = [
      await retentions(join(folder, `${seed}-anchored`), {
        sources,
        teachers,
        seed,
        weight: PRESET.distil.anchorWeight,
        isQuick,
        run,
      }),
      await retentions(join(folder, `${seed}-plain`), { sources, teachers, seed, weight: 0, isQuick, run }),
    ];
    say(`seed ${seed}: ${mean(anchored).toFixed(4)} with anchors, ${mean(plain).toFixed(4)} without`);
    rows.push([seed, "with anchors", ...anchored.map(percent), percent(mean(anchored))]);
    rows.push([seed, "outputs alone", ...plain.map(percent), percent(mean(plain))]);
    gains.push(mean(anchored) - mean(plain));
    means.push({ anchored: mean(anchored), plain: mean(plain) });
  }
  return {
    tables: [
      {
        title: "What students keep of their teachers' exact answers, after the same steps on the same questions, %",
        columns: ["seed", "learning", ...sources.keys(), "mean"],
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
    notes: [],
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

/** Make one student. @returns what it keeps of each capability */
async function retentions(folder: string, { sources, teachers, seed, weight, isQuick, run }: Trial): Promise<number[]> {
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
  const student = await openStudent(at("whole"), run);
  const kept: number[] = [];
  for (const category of sources.keys()) kept.push((await scoreOf(category, student)) / (teachers.get(category) ?? 1));
  student.close();
  return kept;
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
