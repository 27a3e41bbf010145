import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RandomStream } from "../../tensor/random.ts";
import { Decoder } from "../language-model/decoder.ts";
import { modelSchema, settleModel } from "../language-model/model-config.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { llamaName } from "../lora/llama-names.ts";
import { pairNames, recordLowRank } from "../lora/low-rank.ts";
import { type AdapterShape, DUMMY_SOURCE, STUDENT_SOURCE, studentSource } from "./student-source.ts";

const REPOSITORY = fileURLToPath(new URL("../../../../", import.meta.url));
const run = promisify(execFile);
const CONFIG = settleModel(
  v.parse(modelSchema, {
    ...{ layers: 2, heads: 4, kvHeads: 2, width: 32, hidden: 48, context: 16, tied: true },
    ...{ norm: "rms", normEps: 1e-5, activation: "swiglu", positions: "rope", ropeTheta: 1000 },
  }),
  40,
);
const ADAPTERS: readonly AdapterShape[] = [
  { category: "arithmetic", rank: 4, scale: 2, targets: ["q_proj", "v_proj"] },
  {
    category: "sensor-signal",
    rank: 3,
    scale: 0.5,
    targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  },
];

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "student-source-"));
  for (const [name, text] of studentSource(CONFIG, ADAPTERS)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true }));

test("the generated source runs as it is, and every adapter changes what it gives", async () => {
  const { stdout } = await run(process.execPath, [join(folder, DUMMY_SOURCE)]);
  const sums = JSON.parse(stdout) as Record<string, number>;
  expect(Object.keys(sums)).toEqual(["none", "arithmetic", "sensor-signal"]);
  expect(new Set(Object.values(sums)).size).toBe(3);
});

test("the generated source compiles under the project's own options", async () => {
  const options = { extends: join(REPOSITORY, "tsconfig.json"), files: [join(folder, DUMMY_SOURCE)] };
  const compilerOptions = {
    ...{ noEmit: true, composite: false, declarationMap: false, allowImportingTsExtensions: true, rootDir: folder },
    ...{ rewriteRelativeImportExtensions: false, typeRoots: [join(REPOSITORY, "node_modules/@types")] },
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ ...options, compilerOptions }));
  const compiler = join(REPOSITORY, "node_modules/typescript-native/bin/tsc");
  await expect(run(process.execPath, [compiler, "-p", folder])).resolves.toMatchObject({ stdout: "" });
});

test("the generated source passes the project's own lint and format", async () => {
  const lint = join(REPOSITORY, "node_modules/@biomejs/biome/bin/biome");
  const options = ["check", "--vcs-enabled=false", `--config-path=${REPOSITORY}`, folder];
  await rm(join(folder, "tsconfig.json"), { force: true });
  const { stdout } = await run(process.execPath, [lint, ...options], { cwd: REPOSITORY });
  expect(stdout).toContain("Checked 4 files");
});

test("the generated forward pass gives the engine's logits, with an adapter and without", async () => {
  const { forward, tensorShapes } = (await import(pathToFileURL(join(folder, STUDENT_SOURCE)).href)) as {
    forward(tensors: Map<string, Float32Array>, tokens: readonly number[], adapter?: object): Float64Array;
    tensorShapes(): Map<string, readonly number[]>;
  };
  const random = new RandomStream(7, "weights");
  const drawn = (count: number) => Float32Array.from({ length: count }, () => 0.3 * random.nextNormal());
  const shapes = tensorShapes();
  const tensors = new Map([...shapes].map(([name, shape]) => [name, drawn(shape.reduce((a, b) => a * b, 1))]));
  const source = { floats: async (name: string) => Float32Array.from(tensors.get(llamaName(name)) ?? []) };
  const { rank, scale, targets } = ADAPTERS[1] as AdapterShape;
  const pairs = new Map<string, { down: Float32Array; up: Float32Array }>();
  const backend = await openBackend({ name: "wasm-strict", shards: 1, threads: 1 });
  const decoder = await Decoder.create(backend, CONFIG, source, (builder) =>
    recordLowRank(builder, CONFIG, { rank, scale, dropout: 0, targets }),
  );
  const tokens = [3, 17, 39, 0, 5];
  const logitsOf = async () => {
    decoder.reset();
    let logits: Float32Array = new Float32Array();
    for (const token of tokens) logits = await decoder.next(token);
    return Array.from(logits);
  };
  const farthest = (ours: ArrayLike<number>, theirs: readonly number[]) =>
    Math.max(...theirs.map((logit, at) => Math.abs(logit - (ours[at] as number))));
  expect(farthest(forward(tensors, tokens), await logitsOf())).toBeLessThan(1e-4);
  for (let layer = 0; layer < CONFIG.layers; layer += 1) {
    for (const part of ["attn.c_q", "attn.c_k", "attn.c_v", "attn.c_proj", "mlp.c_gate", "mlp.c_fc", "mlp.c_proj"]) {
      const own = `transformer.h.${layer}.${part}.weight`;
      const [outputs = 0, inputs = 0] = shapes.get(llamaName(own)) ?? [];
      const pair = { down: drawn(rank * inputs), up: drawn(outputs * rank) };
      pairs.set(llamaName(own), pair);
      decoder.set(pairNames(own).down, pair.down);
      decoder.set(pairNames(own).up, pair.up);
    }
  }
  const [without, withAdapter] = [forward(tensors, tokens), forward(tensors, tokens, { rank, scale, pairs })];
  expect(farthest(withAdapter, await logitsOf())).toBeLessThan(1e-4);
  expect(farthest(without, [...withAdapter])).toBeGreaterThan(0.1);
  decoder.close();
});
