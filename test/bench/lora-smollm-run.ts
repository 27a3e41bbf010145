/**
 * A model of SmolLM-135M's layout loaded, taught by LoRA and asked, in a process of its own; prints in JSON how long that took
 * and what the process held at most.
 *
 *     node lora-smollm-run.ts FOLDER THREADS STEPS BACKEND VECTORBITS
 */
import {
  fineTune,
  Generator,
  loadModelFolder,
  openShardedBackend,
  parseFineTuneOptions,
  tokenizeExamples,
} from "@lockstep/cloud-node/lab";

/** What was measured; seconds on the wall unless said. */
export interface SmolLmRun {
  readonly parameters: number;
  readonly trainable: number;
  /** Tokens of a step, and those of them that are answers. */
  readonly tokens: number;
  readonly answerTokens: number;
  /** Files opened, weights read into the program of training, until its first step begins. */
  readonly loadSeconds: number;
  /** Of every step. */
  readonly stepSeconds: readonly number[];
  /** Likewise, of the processor. */
  readonly stepCpuSeconds: readonly number[];
  readonly losses: readonly number[];
  readonly generated: number;
  readonly generateSeconds: number;
  /** Most that the process had resident. */
  readonly peakBytes: number;
}

const [folder = "", threads = "1", steps = "3", backend = "wasm-strict", bits = "128"] = process.argv.slice(2);
const name = backend === "wasm-relaxed" ? backend : "wasm-strict";
const vectorBits = bits === "256" ? 256 : 128;
const shards = Number(threads);
const GENERATED = 20;
/** Four exchanges of about 50 tokens each. */
const EXAMPLES = Array.from({ length: 4 }, (_, at) => ({
  prompt: `Which port does service number ${at} listen on, and why?`,
  answer: `Service ${at} listens on port ${8000 + at}.`,
}));

const nowMs = () => performance.now();
const startedMs = nowMs();
const model = await loadModelFolder(folder);
const examples = tokenizeExamples(model, EXAMPLES);
const backendOf = (parts: number) => openShardedBackend({ name, shards: parts, threads: parts, vectorBits });
let [loadSeconds, lastMs, lastCpu] = [0, 0, process.cpuUsage()];
const [stepSeconds, stepCpuSeconds]: [number[], number[]] = [[], []];
const taught = await fineTune({
  ...{ model, examples, validation: [], openBackend: backendOf, signal: new AbortController().signal },
  options: parseFineTuneOptions({ iterations: Number(steps), batch: EXAMPLES.length, shards, rank: 8 }),
  nowMs: () => {
    // Asked first when the first step begins.
    if (loadSeconds === 0) {
      loadSeconds = (nowMs() - startedMs) / 1000;
      [lastMs, lastCpu] = [nowMs(), process.cpuUsage()];
    }
    return nowMs();
  },
  onStep: () => {
    const { user, system } = process.cpuUsage(lastCpu);
    stepSeconds.push((nowMs() - lastMs) / 1000);
    stepCpuSeconds.push((user + system) / 1e6);
    [lastMs, lastCpu] = [nowMs(), process.cpuUsage()];
  },
});
const adapters = new Map([["taught", taught.adapter]]);
const generator = await Generator.create(model, await backendOf(1), { adapters, nowMs, context: 256 });
generator.use("taught");
const answer = await generator.answer(EXAMPLES[0]?.prompt ?? "", {
  maxTokens: GENERATED,
  // It writes on, whatever it takes for an end.
  adjust: (logits) => {
    for (const end of model.ends) logits[end] = -Infinity;
  },
});
generator.close();
await model.close();
const run: SmolLmRun = {
  ...{ parameters: taught.totalParameters - taught.trainableParameters, trainable: taught.trainableParameters },
  tokens: examples.reduce((sum, { tokens }) => sum + tokens.length - 1, 0),
  answerTokens: examples.reduce((sum, { tokens, answerFrom }) => sum + tokens.length - answerFrom, 0),
  ...{ loadSeconds, stepSeconds, stepCpuSeconds, losses: taught.trainLoss },
  ...{ generated: answer.tokens, generateSeconds: answer.seconds },
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(JSON.stringify(run));
