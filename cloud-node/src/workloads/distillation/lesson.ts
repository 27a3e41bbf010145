import type { ShardedBackend } from "../language-model/open-backend.ts";
import { layOutBatch } from "../lora/answer-batch.ts";
import type { LowRankPlan } from "../lora/low-rank.ts";
import { type ExampleWriter, type TokenizedExample, tokenizeExamples } from "../lora/tokenized-example.ts";
import type { BranchedModel } from "./branched-model.ts";
import { capabilityOf } from "./capabilities.ts";
import type { Category } from "./capability.ts";
import { ExamplePool, takeExamples } from "./example-pool.ts";
import type { LayerComponents, Profile } from "./profile-file.ts";
import { probesOf } from "./profile-teacher.ts";
import type { BranchPlan } from "./record-branch.ts";
import type { Teacher } from "./teacher.ts";
import { anchorPlans, layOutAnchor, TeacherVoice, tokenRows } from "./teacher-voice.ts";

/** What is learned of one capability, and from whom. */
export interface LessonRequest {
  readonly category: Category;
  /** Of the student. */
  readonly layers: number;
  readonly writer: ExampleWriter;
  readonly questions: number;
  /** Of a step. */
  readonly tokens: number;
  readonly seed: number;
  readonly adapter?: LowRankPlan | undefined;
  /** Both, or none: then right answers are all there is. */
  readonly from?: { readonly teacher: Teacher; readonly profile: Profile } | undefined;
  /** Of L_output, what comes from the teacher. */
  readonly softShare: number;
  /** Whether hidden numbers are held to the teacher's. */
  readonly isAnchored: boolean;
}

/** One branch of a student's steps, and what it is fed. */
export class Lesson {
  readonly branch: BranchPlan;
  readonly #request: LessonRequest;
  readonly #pool: ExamplePool;
  readonly #voice: TeacherVoice | undefined;
  readonly #probes: readonly TokenizedExample[];

  private constructor(
    request: LessonRequest,
    branch: BranchPlan,
    pool: ExamplePool,
    voice: TeacherVoice | undefined,
    probes: readonly TokenizedExample[],
  ) {
    this.branch = branch;
    this.#request = request;
    this.#pool = pool;
    this.#voice = voice;
    this.#probes = probes;
  }

  /** @throws what the backend cannot hold; {LanguageModelError} and {LoraError} as `tokenizeExamples` */
  static async open(backend: ShardedBackend, request: LessonRequest): Promise<Lesson> {
    const { category, writer, questions, tokens, seed, adapter, from, isAnchored } = request;
    const examples = tokenizeExamples(writer, takeExamples(capabilityOf(category), questions, seed));
    const probeCount = from?.profile.summary.probes ?? 0;
    const pool = new ExamplePool(examples, seed);
    const probes = tokenizeExamples(
      writer,
      probesOf(category, { probes: probeCount }, from?.profile.summary.seed ?? seed),
    );
    const shape = new ExamplePool([...examples, ...probes], seed).shapeOf(tokens, backend.shards);
    const anchors = from === undefined || !isAnchored ? [] : anchorPlans(from.profile, request.layers);
    const branch = { name: category, shape, adapter, anchors };
    const heard = isAnchored ? (from?.profile.layers ?? []) : [];
    const voice = from && (await TeacherVoice.open(backend, from.teacher, category, shape, heard));
    // As many as a batch has: the profile's own are the first of them.
    return new Lesson(request, branch, pool, voice, probes.slice(0, shape.shards * shape.sequences));
  }

  /** Feed a model the n-th batch of a run, with what the teacher thinks of it. @param alpha  weight of the anchors */
  async teach(model: BranchedModel, step: number, alpha: number): Promise<void> {
    const { name, shape } = this.branch;
    const examples = this.#pool.examples(step, shape.shards * shape.sequences);
    const batch = layOutBatch(examples, shape);
    model.feed(name, batch);
    if (this.#voice === undefined) return;
    await this.#voice.hear(batch);
    model.feedSoft(name, await this.#voice.soft(this.#request.softShare));
    for (const anchor of this.branch.anchors) {
      const components = this.#componentsOf(anchor.of);
      await this.#feedAnchor(model, anchor.of, await this.#voice.coordinates(components, examples), examples, alpha);
    }
  }

  /**
   * How well a student keeps the subspaces of the teacher's profile, by the coordinates that the profile has of its probes: the
   * share of their variance that it misses, 0 where all is kept.
   *
   * @returns undefined where nothing is anchored
   */
  async check(model: BranchedModel): Promise<number | undefined> {
    const { name, shape, anchors } = this.branch;
    if (anchors.length === 0) return undefined;
    model.feed(name, layOutBatch(this.#probes, shape));
    const tokens = this.#probes.reduce((sum, { tokens }) => sum + tokens.length - 1, 0);
    for (const { of, components } of anchors) {
      const coordinates = this.#componentsOf(of).probes.subarray(0, tokens * components);
      await this.#feedAnchor(model, of, coordinates, this.#probes, 1);
    }
    await model.forward();
    const { anchor } = await model.losses(name);
    return anchor / anchors.length;
  }

  close(): void {
    this.#voice?.close();
  }

  #componentsOf(layer: number): LayerComponents {
    return this.#request.from?.profile.layers.find((each) => each.layer === layer) as LayerComponents;
  }

  async #feedAnchor(
    model: BranchedModel,
    layer: number,
    coordinates: Float32Array,
    examples: readonly TokenizedExample[],
    alpha: number,
  ): Promise<void> {
    const { name, shape, anchors } = this.branch;
    const anchor = anchors.find(({ of }) => of === layer);
    const found = this.#request.from?.profile.summary.layers.find((each) => each.layer === layer);
    if (anchor === undefined || found === undefined) return;
    const energy = found.keptShare * found.totalVariance;
    const rows = tokenRows(examples, shape);
    const feed = layOutAnchor(coordinates, rows, anchor.components, shape, { alpha: alpha, energy });
    model.feedAnchor(name, anchor, feed.negated, feed.weights);
  }
}
