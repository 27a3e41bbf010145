import type { ShardedBackend } from "../language-model/open-backend.ts";
import { readAdapter, writeAdapter } from "../lora/adapter-file.ts";
import type { Adapter } from "../lora/low-rank.ts";
import { BranchedModel } from "./branched-model.ts";
import type { Category } from "./capability.ts";
import { type Learned, type LearnRequest, learn } from "./learn.ts";
import { Lesson } from "./lesson.ts";
import type { DistilOptions, PhaseOptions } from "./options.ts";
import { readProfile } from "./profile-file.ts";
import { questionWriter } from "./question-writer.ts";
import type { RunHooks } from "./run-hooks.ts";
import { lowRankPlan, readStudent, type Student, writeStudent } from "./student.ts";
import { loadTeacher } from "./teacher.ts";

/** Folders of a teacher and its profile. */
export interface Source {
  readonly teacher: string;
  readonly profile: string;
}

/** What all phases are given. */
interface DistilRequest {
  /** Folder. */
  readonly student: string;
  readonly options: DistilOptions;
  readonly seed: number;
  readonly disturb?: LearnRequest["disturb"];
}

/** A phase that all teachers take part in. */
export interface WholeRequest extends DistilRequest {
  readonly sources: ReadonlyMap<Category, Source>;
}

/** A phase in which one adapter learns. */
export interface AdapterRequest extends DistilRequest {
  readonly category: Category;
  /** Undefined where the teacher is gone: it learns from right answers then. */
  readonly source?: Source | undefined;
}

/** Teach the backbone what all teachers say, without adapters. @param out  folder that gets the student */
export async function distilBackbone(out: string, request: WholeRequest, run: RunHooks): Promise<Learned> {
  const student = await readStudent(request.student);
  const phase = request.options.backbone;
  return await withLessons(
    request,
    student,
    { phase, adapted: [], isBackboneTrained: true },
    run,
    async (model, learned) => {
      await writeStudent(out, { ...student, weights: model.weights, anchors: await model.anchors() });
      return learned;
    },
  );
}

/**
 * Teach one adapter beside the frozen backbone.
 *
 * @param out  folder that gets the adapter, as PEFT has it
 */
export async function distilAdapter(out: string, request: AdapterRequest, run: RunHooks): Promise<Learned> {
  const { category, source, options } = request;
  const student = await readStudent(request.student);
  const adapter = student.adapters.get(category) as Adapter;
  const whole = { ...request, sources: new Map([[category, source]]) };
  const part = { phase: options.adapters, adapted: [category], isBackboneTrained: false };
  return await withLessons(whole, student, part, run, async (model, learned) => {
    await writeAdapter(out, { ...adapter, pairs: await model.pairs(category) });
    return learned;
  });
}

/**
 * Put adapters to their backbone, and teach them together where that is asked for.
 *
 * @param out  folder that gets the student
 * @returns undefined where there is no such phase
 */
export async function distilJointly(
  out: string,
  request: WholeRequest & { readonly adapters: ReadonlyMap<Category, string> },
  run: RunHooks,
): Promise<Learned | undefined> {
  const apart = await readStudent(request.student);
  const adapters = new Map<Category, Adapter>(apart.adapters);
  for (const [category, folder] of request.adapters) adapters.set(category, await readAdapter(folder, apart.config));
  const student = { ...apart, adapters };
  const { joint } = request.options;
  if (joint === undefined) {
    await writeStudent(out, { ...student, anchors: undefined });
    return undefined;
  }
  const part = { phase: joint, adapted: [...adapters.keys()], isBackboneTrained: true };
  return await withLessons(request, student, part, run, async (model, learned) => {
    const taught = new Map<Category, Adapter>();
    for (const [category, adapter] of adapters) {
      taught.set(category, { ...adapter, pairs: await model.pairs(category) });
    }
    await writeStudent(out, { ...student, weights: model.weights, adapters: taught, anchors: undefined });
    return learned;
  });
}

interface Sources {
  readonly sources: ReadonlyMap<Category, Source | undefined>;
}

/** What learns in a phase. */
interface Part {
  readonly phase: PhaseOptions;
  /** Categories whose adapters do; without any there are no adapters. */
  readonly adapted: readonly Category[];
  readonly isBackboneTrained: boolean;
}

async function withLessons<T>(
  request: DistilRequest & Sources,
  student: Student,
  { phase, adapted, isBackboneTrained }: Part,
  run: RunHooks,
  use: (model: BranchedModel, learned: Learned) => Promise<T>,
): Promise<T> {
  const { options, seed } = request;
  const backend = await run.backend();
  const lessons: Lesson[] = [];
  let model: BranchedModel | undefined;
  try {
    for (const [category, source] of request.sources) {
      lessons.push(
        await openLesson(backend, student, category, source, { request, phase, isAdapted: adapted.length > 0 }),
      );
    }
    const plan = {
      ...{ config: student.config, branches: lessons.map(({ branch }) => branch) },
      ...{ isBackboneTrained, areAdaptersTrained: adapted.length > 0 },
    };
    model = await BranchedModel.create(backend, plan, student.weights, seed);
    for (const category of adapted) model.setPairs(category, (student.adapters.get(category) as Adapter).pairs);
    model.setAnchors(student.anchors ?? new Map());
    const { anchorWeight, checkEvery, spikes } = options;
    const learned = await learn({
      model,
      lessons,
      phase,
      anchorWeight,
      checkEvery,
      spikes,
      run,
      disturb: request.disturb,
    });
    return await use(model, learned);
  } finally {
    model?.close();
    for (const lesson of lessons) lesson.close();
  }
}

async function openLesson(
  backend: ShardedBackend,
  { config, adapters }: Student,
  category: Category,
  source: Source | undefined,
  { request, phase, isAdapted }: { request: DistilRequest; phase: PhaseOptions; isAdapted: boolean },
): Promise<Lesson> {
  const profile = source && (await readProfile(source.profile));
  const teacher = source && profile && (await loadTeacher(source.teacher, profile.summary.precision));
  const { softShare, anchorWeight } = request.options;
  return await Lesson.open(backend, {
    ...{ category, layers: config.layers, writer: questionWriter(config.context), seed: request.seed },
    ...{ questions: phase.questions, tokens: phase.tokens, softShare, isAnchored: anchorWeight > 0 },
    adapter: isAdapted ? lowRankPlan(adapters.get(category) as Adapter) : undefined,
    from: teacher && profile && { teacher, profile },
  });
}
