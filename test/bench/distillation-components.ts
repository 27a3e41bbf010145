import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  BranchedModel,
  capabilityOf,
  ExamplePool,
  forEachActivation,
  loadTeacher,
  makeTeacher,
  StreamingPca,
  subspaceAngle,
  takeExamples,
  tokenizeExamples,
} from "@lockstep/cloud-node/lab";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { benchRun, PRESET } from "./distillation-place.ts";
import { runPython } from "./python-peer.ts";

/** Components that a profile keeps at most. */
const KEPT = 16;
/** Questions that go through the teacher at once. */
const AT_ONCE = 16;
const QUESTIONS = [100, 400, 1600];
/** Fewer directions than profiles' streams keep: what leaving some out costs. */
const RANKS = [24, 32, 40];

interface Full {
  readonly values: readonly number[];
  readonly vectors: readonly (readonly number[])[];
}

/** Components of a teacher's activations as they come, beside those of the whole covariance, in float64 by LAPACK. */
export const componentsPart: BenchPart = { name: "components", run: benchComponents };

async function benchComponents({ isQuick, folder, say }: PartPlace): Promise<PartFindings> {
  const run = benchRun(say);
  const { teacher: options, profile } = PRESET;
  const [category, layer] = ["facts", options.size.layers - 1] as const;
  const out = join(folder, category);
  await makeTeacher(out, { category, options: isQuick ? { ...options, steps: 20 } : options, seed: 42 }, run);
  const teacher = await loadTeacher(out, "float32");
  const counts = isQuick ? QUESTIONS.slice(0, 1) : QUESTIONS;
  const examples = tokenizeExamples(teacher, takeExamples(capabilityOf(category), Math.max(...counts), 7));
  const backend = await run.backend();
  const shape = new ExamplePool(examples, 1).shapeFor(AT_ONCE, 1);
  const plan = { config: teacher.config, isBackboneTrained: false, areAdaptersTrained: false };
  const branches = [{ name: category, shape, anchors: [] }];
  const model = await BranchedModel.create(backend, { ...plan, branches }, teacher.weights, 1);
  const rows: (readonly (string | number)[])[] = [];
  const ranks = [...RANKS, profile.streamRank];
  const { width } = teacher.config;
  // Of the stream as profiles have it.
  const angles: number[] = [];
  const held: number[] = [];
  for (const count of counts) {
    const streams = ranks.map((rank) => new StreamingPca(width, rank));
    const path = join(folder, `${count}.f32`);
    const file = await open(path, "w");
    let tokens = 0;
    for (let first = 0; first < count; first += AT_ONCE) {
      const raw: Float32Array[] = [];
      await forEachActivation(model, category, examples.slice(first, first + AT_ONCE), [layer], (_, row) => {
        for (const stream of streams) stream.add(row);
        raw.push(Float32Array.from(row));
      });
      for (const row of raw) await file.write(new Uint8Array(row.buffer));
      tokens += raw.length;
    }
    await file.close();
    const full = await runPython<Full>("python3-torch", "distillation_eigen.py", {
      ...{ file: path, width, components: KEPT },
    });
    const vectors = full?.vectors.map((vector) => Float64Array.from(vector));
    for (const [at, stream] of streams.entries()) {
      const { basis, variances } = stream.components(KEPT);
      const angle = vectors && subspaceAngle(vectors, basis);
      const off = full && Math.max(...variances.map((variance, at) => Math.abs(variance / (full.values[at] ?? 0) - 1)));
      const cells = [angle, off].map((number) => number?.toExponential(1) ?? "–");
      rows.push([tokens, ranks[at] ?? 0, ...cells, stream.heldNumbers, tokens * width]);
      if (ranks[at] !== profile.streamRank) continue;
      held.push(stream.heldNumbers);
      if (angle !== undefined) angles.push(angle);
    }
  }
  model.close();
  return {
    tables: [
      {
        title: `${KEPT} components of activations ${width} wide, as streams that keep so many directions`,
        columns: ["tokens", "directions", "angle, rad", "variances off by", "numbers held at most", "numbers seen"],
        rows,
      },
    ],
    goals: [
      ...(angles.length > 0
        ? [
            {
              what: "angle to the full decomposition",
              measured: Math.max(...angles),
              unit: "rad",
              must: { below: 1e-3 },
            },
          ]
        : []),
      {
        what: `numbers that the stream holds at most, for each of width x directions, after ${counts.at(-1)} questions`,
        ...{ measured: Math.max(...held) / (width * profile.streamRank), unit: "" },
        must: { atMost: StreamingPca.mostNumbers(width, profile.streamRank) / (width * profile.streamRank) },
      },
      {
        what: `the same, over that after ${counts[0]} questions`,
        ...{ measured: Math.max(...held) / (held[0] ?? Number.NaN), unit: "x", must: { atMost: 1 } },
      },
    ],
    notes: [
      `Goals are of ${profile.streamRank} directions, as profiles have them: this teacher has no more, and what is left is rounding. Fewer are what a wider one would be held to.`,
      ...(angles.length > 0 ? [] : ["The full decomposition was not made, since python3-torch is missing."]),
    ],
    json: { components: { angle: angles.length > 0 ? Math.max(...angles) : null, heldNumbers: held } },
  };
}
