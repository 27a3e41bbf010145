import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Backend,
  type Engine,
  jsBackend,
  normalNumbers,
  ProgramBuilder,
  RandomStream,
  wasmRelaxedBackend,
  wasmStrictBackend,
} from "@lockstep/cloud-node";
import {
  type Batch,
  type ModelConfig,
  type ParameterSpec,
  parameterSpecs,
  parseRunConfig,
  recordLogits,
  settleModel,
} from "@lockstep/cloud-node/lab";
import type { PartFindings } from "./bench-part.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";
import { writeBatches } from "./lm-torch.ts";
import { runPython } from "./python-peer.ts";

const ROWS = 2;
const VOCABULARY = 66;
const SEED = 7;
const SHAPE = ["model.layers=2", "model.heads=4", "model.width=32", "model.context=16"];
const MODELS: Readonly<Record<string, ModelConfig>> = {
  "nanoGPT's": modelOf("nanogpt-cpu", SHAPE),
  "nanochat's": modelOf("nanochat", SHAPE),
  "Llama's": modelOf("nanogpt-cpu", [
    ...[...SHAPE, "model.norm=rms", "model.activation=swiglu", "model.positions=rope", "model.kvHeads=2"],
    "model.tied=false",
  ]),
  "nanoGPT's CPU recipe": modelOf("nanogpt-cpu", []),
};
/** So large that a model says something: what it begins with has gradients near 0. */
const DEVIATION = 0.15;
/** Entries of each tensor that are moved for a central difference. */
const DRAWS = 24;
/** Large enough that float32 parameters can be moved by it, small enough that its third power is nothing. */
const SHIFT = 2 ** -12;
/** An oracle that calculates number by number does not move a model of 800,000 of them so often. */
const MOST_MOVED = 100_000;
const BACKENDS: readonly Backend[] = [wasmStrictBackend, wasmRelaxedBackend];

/** Gradients beside central differences in doubles, and beside PyTorch's in doubles. */
export const gradientsPart: LmPart = { name: "gradients", run: benchGradients };

interface Subject {
  readonly config: ModelConfig;
  readonly specs: readonly ParameterSpec[];
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly batch: Batch;
}

interface GradientRow {
  readonly model: string;
  readonly backend: string;
  /** The largest difference of a tensor's entries over its largest entry, of the worst tensor; not a number: not compared. */
  readonly numerical: number;
  readonly torch: number;
}

async function benchGradients({ folder, say }: LmPlace): Promise<PartFindings> {
  const rows: GradientRow[] = [];
  let version: string | undefined;
  for (const [model, config] of Object.entries(MODELS)) {
    const subject = subjectOf(config);
    const numerical = await numericalGradients(subject);
    const torch = await torchGradients(subject, folder);
    version = torch?.version;
    for (const backend of BACKENDS) {
      const gradients = await gradientsOf(backend, subject);
      rows.push({
        model,
        backend: backend.name,
        numerical: furthest(gradients, numerical),
        torch: furthest(gradients, torch?.gradients),
      });
    }
    say(model);
  }
  const worst = (of: "numerical" | "torch") => {
    const compared = rows.map((row) => row[of]).filter((apart) => !Number.isNaN(apart));
    return compared.length === 0 ? Number.NaN : Math.max(...compared);
  };
  return {
    tables: [
      {
        title: "Gradients: largest difference of an entry over the tensor's largest entry, worst of all tensors",
        columns: ["model", "backend", "central differences", "PyTorch, float64"],
        rows: rows.map((row) => [
          ...[
            row.model,
            row.backend,
            ...[row.numerical, row.torch].map((x) => (Number.isNaN(x) ? "" : x.toExponential(1))),
          ],
        ]),
      },
    ],
    goals: [
      {
        what: "gradients against float64 central differences, worst",
        ...{ measured: worst("numerical"), unit: "relative", must: { below: 1e-3 } },
      },
      {
        what: "gradients against PyTorch, worst",
        ...{ measured: worst("torch"), unit: "relative", must: { below: 1e-4 } },
      },
    ],
    notes: [
      `Gradients: parameters drawn with deviation ${DEVIATION}, random tokens, ${ROWS} rows; central differences of the loss by the backend \`js\`, which calculates in doubles, for ${DRAWS} entries of each tensor, of the models that it can run so often.`,
      version === undefined
        ? "Gradients against PyTorch: not measured, since python3-torch is missing."
        : `PyTorch ${version}, in doubles: \`test/bench/peers/lm_torch_gradients.py\`.`,
    ],
    json: { gradients: rows },
  };
}

function modelOf(recipe: string, settings: readonly string[]): ModelConfig {
  return settleModel(parseRunConfig({ recipe, settings }).model, VOCABULARY);
}

function subjectOf(config: ModelConfig): Subject {
  const specs = parameterSpecs(config);
  const values = new Map(
    specs.map(({ name, shape, group }) => {
      const drawn = normalNumbers(sizeOf(shape), DEVIATION, SEED, name);
      return [name, group === "gain" ? drawn.map((x) => 1 + x) : drawn];
    }),
  );
  const stream = new RandomStream(SEED, "tokens");
  const drawn = () => Int32Array.from({ length: ROWS * config.context }, () => stream.nextBelow(VOCABULARY));
  const [inputs, targets] = [drawn(), drawn()];
  targets[1] = -1;
  return { config, specs, values, batch: { rows: ROWS, context: config.context, inputs, targets } };
}

async function openEngine(backend: Backend, { config, values, batch }: Subject): Promise<Engine> {
  const b = new ProgramBuilder();
  const [ids, targets] = ["tokens", "targets"].map((name) => b.input(name, [ROWS * config.context], "i32"));
  if (ids === undefined || targets === undefined) throw new RangeError("two inputs");
  const logits = recordLogits(b, config, ids, { sequences: ROWS, length: config.context });
  const engine = await backend.load(b.build(b.crossEntropy(logits, targets)));
  for (const [name, numbers] of values) engine.set(name, numbers);
  engine.input("tokens", batch.inputs);
  engine.input("targets", batch.targets);
  return engine;
}

async function gradientsOf(backend: Backend, subject: Subject): Promise<Map<string, Float32Array>> {
  const engine = await openEngine(backend, subject);
  await engine.backward();
  const gradients = new Map<string, Float32Array>();
  for (const { name } of subject.specs) gradients.set(name, await engine.get(name, "gradient"));
  engine.close();
  return gradients;
}

/** Some entries of every tensor; the others are not numbers. Undefined for a model that is too large. */
async function numericalGradients(subject: Subject): Promise<Map<string, Float64Array> | undefined> {
  const { specs, values } = subject;
  if (specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0) > MOST_MOVED) return undefined;
  const engine = await openEngine(jsBackend, subject);
  const stream = new RandomStream(SEED, "entries");
  const gradients = new Map<string, Float64Array>();
  for (const [name, numbers] of values) {
    const found = new Float64Array(numbers.length).fill(Number.NaN);
    for (let draw = 0; draw < DRAWS; draw++) {
      const at = stream.nextBelow(numbers.length);
      const moved = numbers.slice();
      const lossAt = async (shift: number): Promise<[loss: number, value: number]> => {
        moved[at] = (numbers[at] ?? 0) + shift;
        engine.set(name, moved);
        return [await engine.forward(), moved[at] ?? 0];
      };
      // The parameter is a float32: by how much it moved is asked and not assumed.
      const [[above, right], [below, left]] = [await lossAt(SHIFT), await lossAt(-SHIFT)];
      found[at] = (above - below) / (right - left);
    }
    engine.set(name, numbers);
    gradients.set(name, found);
  }
  engine.close();
  return gradients;
}

interface TorchGradients {
  readonly version: string;
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

async function torchGradients(
  { config, specs, values, batch }: Subject,
  folder: string,
): Promise<TorchGradients | undefined> {
  const [initial, batches, gradients] = ["values.f32", "batch.i32", "gradients.f64"].map((name) => join(folder, name));
  if (initial === undefined || batches === undefined || gradients === undefined) throw new RangeError("three files");
  writeFileSync(initial, Buffer.concat([...values.values()].map(({ buffer }) => Buffer.from(buffer))));
  writeBatches(batches, [batch]);
  const plan = { model: config, tensors: specs, values: initial, batch: batches, rows: ROWS, gradients };
  const answer = await runPython<{ readonly torch: string }>("python3-torch", "lm_torch_gradients.py", plan);
  if (answer === undefined) return undefined;
  const bytes = readFileSync(gradients);
  const all = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  let start = 0;
  const places = specs.map(({ name, shape }) => {
    const first = start;
    start += sizeOf(shape);
    return [name, all.subarray(first, start)] as const;
  });
  return { version: answer.torch, gradients: new Map(places) };
}

/** Entries that were not moved are not numbers, and not compared; of ours, such a one is as far away as can be. */
function furthest(ours: ReadonlyMap<string, Float32Array>, its: ReadonlyMap<string, Float64Array> | undefined): number {
  if (its === undefined) return Number.NaN;
  let worst = 0;
  for (const [name, numbers] of ours) {
    const expected = its.get(name) ?? new Float64Array();
    const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x) || 0), 0);
    for (const [at, x] of expected.entries()) {
      if (Number.isNaN(x)) continue;
      const apart = Math.abs((numbers[at] ?? Number.NaN) - x) / largest;
      worst = Math.max(worst, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
    }
  }
  return worst;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
