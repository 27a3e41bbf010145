import { join } from "node:path";
import {
  fineTune,
  Generator,
  loadModelFolder,
  mergeAdapter,
  openShardedBackend,
  parseFineTuneOptions,
  tokenizeExamples,
  writeAdapter,
} from "@lockstep/cloud-node/lab";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { runPython } from "./python-peer.ts";
import { writeSmolLm } from "./smollm-folder.ts";

/** What lora_torch.py prints. */
interface Peer {
  readonly torch: string;
  readonly tensors: number;
  readonly logits: readonly number[];
}

const EXAMPLES = [
  { prompt: "Which port does SSH use?", answer: "22" },
  { prompt: "Which port does HTTPS use?", answer: "443" },
];
const STEPS = 10;
const LAYERS = 2;
const MOST_DIFFERENCE = 1e-4;

/** An adapter as a file for others, and as a part of a model's own weights. */
export const peftPart: BenchPart = { name: "peft", run: benchPeft };

async function benchPeft({ folder, say }: PartPlace): Promise<PartFindings> {
  const [base, adapter, merged] = ["base", "adapter", "merged"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeSmolLm(base, LAYERS);
  const model = await loadModelFolder(base);
  const examples = tokenizeExamples(model, EXAMPLES);
  const backendOf = (shards: number) => openShardedBackend({ name: "wasm-strict", shards, threads: 1 });
  const taught = await fineTune({
    ...{ model, examples, validation: [], openBackend: backendOf, signal: new AbortController().signal },
    options: parseFineTuneOptions({ iterations: STEPS, batch: EXAMPLES.length }),
    nowMs: () => performance.now(),
  });
  say(`taught: loss ${taught.trainLoss[0]?.toFixed(2)} to ${taught.trainLoss.at(-1)?.toFixed(2)}`);
  await writeAdapter(adapter, taught.adapter);
  await mergeAdapter(merged, model, taught.adapter);
  const tokens = model.chatTokens(EXAMPLES[0]?.prompt ?? "");
  const logitsOf = async (path: string, name?: string) => {
    const loaded = await loadModelFolder(path);
    const adapters = new Map([["taught", taught.adapter]]);
    const options = { ...(name && { adapters }), nowMs: () => performance.now(), context: tokens.length };
    const generator = await Generator.create(loaded, await backendOf(1), options);
    generator.use(name);
    const logits = await generator.logits(tokens);
    generator.close();
    await loaded.close();
    return logits;
  };
  const [ours, without, whole] = [await logitsOf(base, "taught"), await logitsOf(base), await logitsOf(merged)];
  await model.close();
  const peer = await runPython<Peer>("python3-torch", "lora_torch.py", { model: base, adapter, tokens: [...tokens] });
  const away = {
    merged: farthest(ours, whole),
    torch: peer && farthest(ours, peer.logits),
    base: farthest(ours, without),
  };
  return {
    tables: [
      {
        title: "Logits of base and adapter, largest difference from",
        columns: ["the merged model", "PyTorch, from PEFT's layout", "the base alone"],
        rows: [[away.merged.toExponential(1), away.torch?.toExponential(1) ?? "not measured", away.base.toFixed(2)]],
      },
    ],
    goals: [
      {
        what: "a merged model's logits, farthest from base + adapter",
        ...{ measured: away.merged, unit: "", must: { below: MOST_DIFFERENCE } },
      },
      {
        what: "an adapter in PEFT's layout, read by hand into PyTorch: logits, farthest from ours",
        ...{ measured: away.torch ?? Number.NaN, unit: "", must: { below: MOST_DIFFERENCE } },
      },
    ],
    notes: [
      peer === undefined
        ? "PyTorch: not measured, since python3-torch is missing."
        : `PEFT's layout: ${peer.tensors} tensors, read by \`test/bench/peers/lora_torch.py\` into PyTorch ${peer.torch}; ${LAYERS} layers of SmolLM-135M's layout.`,
    ],
    json: { peft: away },
  };
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a).reduce((most, x, at) => Math.max(most, Math.abs(x - (b[at] ?? Number.NaN))), 0);
}
