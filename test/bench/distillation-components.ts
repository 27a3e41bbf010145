import { open } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
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
const BYTES_OF_KB = 1024;

interface Full {
  readonly values: readonly number[];
  readonly vectors: readonly (readonly number[])[];
}

/** Components of a teacher's activations as they come, beside those of the whole covariance, in float64 by LAPACK. */
export const componentsPart: BenchPart = { name: "components", run: benchComponents };

/** Of arrays that something still holds. */
function liveBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  return process.memoryUsage().arrayBuffers;
}

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
  let [widest, isCompared] = [0, false];
  const held: number[] = [];
  for (const count of counts) {
    const before = liveBytes();
    const pca = new StreamingPca(teacher.config.width, profile.streamRank);
    const path = join(folder, `${count}.f32`);
    const file = await open(path, "w");
    let tokens = 0;
    for (let first = 0; first < count; first += AT_ONCE) {
      const raw: Float32Array[] = [];
      await forEachActivation(model, category, examples.slice(first, first + AT_ONCE), [layer], (_, row) => {
        pca.add(row);
        raw.push(Float32Array.from(row));
      });
      for (const row of raw) await file.write(new Uint8Array(row.buffer));
      tokens += raw.length;
    }
    await file.close();
    const { basis, variances } = pca.components(KEPT);
    held.push(pca.heldNumbers);
    const live = liveBytes() - before;
    const full = await runPython<Full>("python3-torch", "distillation_eigen.py", {
      ...{ file: path, width: teacher.config.width, components: KEPT },
    });
    const angle =
      full &&
      subspaceAngle(
        full.vectors.map((vector) => Float64Array.from(vector)),
        basis,
      );
    const off = full && Math.max(...variances.map((variance, at) => Math.abs(variance / (full.values[at] ?? 0) - 1)));
    if (angle !== undefined) [widest, isCompared] = [Math.max(widest, angle), true];
    rows.push([
      tokens,
      angle?.toExponential(1) ?? "–",
      off?.toExponential(1) ?? "–",
      pca.heldNumbers,
      (live / BYTES_OF_KB).toFixed(0),
      tokens * teacher.config.width,
    ]);
  }
  model.close();
  return {
    tables: [
      {
        title: `${KEPT} components of activations ${teacher.config.width} wide, as a stream that keeps ${profile.streamRank} directions`,
        columns: ["tokens", "angle, rad", "variances off by", "numbers held at most", "KiB held after", "numbers seen"],
        rows,
      },
    ],
    goals: [
      ...(isCompared
        ? [{ what: "angle to the full decomposition", measured: widest, unit: "rad", must: { below: 1e-3 } }]
        : []),
      {
        what: `numbers that the stream holds at most, for each of width x rank, after ${QUESTIONS.at(-1)} questions`,
        measured: Math.max(...held) / (teacher.config.width * profile.streamRank),
        ...{
          unit: "",
          must: {
            atMost:
              StreamingPca.mostNumbers(teacher.config.width, profile.streamRank) /
              (teacher.config.width * profile.streamRank),
          },
        },
      },
      {
        what: `the same, over that after ${QUESTIONS[0]} questions`,
        ...{ measured: Math.max(...held) / (held[0] ?? Number.NaN), unit: "x", must: { atMost: 1 } },
      },
    ],
    notes: isCompared ? [] : ["The full decomposition was not made, since python3-torch is missing."],
    json: { components: { angle: isCompared ? widest : null, heldNumbers: held } },
  };
}
