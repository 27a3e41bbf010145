import { RandomStream } from "../../tensor/random.ts";
import type { AnswerOptions } from "../../workloads/lora/answerer.ts";
import { readDataset } from "../../workloads/lora/dataset-files.ts";
import { judgementOf } from "../../workloads/lora/evaluate.ts";
import { ADAPTER, memoryOf, openGenerator } from "../../workloads/lora/evaluate-model.ts";
import { makeDataset } from "../../workloads/lora/make-dataset.ts";
import { loadModelFolder } from "../../workloads/lora/model-folder.ts";
import { loadPatterns } from "../../workloads/lora/shipped-patterns.ts";
import type { DemoCommandOptions } from "../lora.ts";
import type { Surroundings } from "../surroundings.ts";
import { computeOf } from "./open-compute.ts";
import { columnHeads, sideBySide } from "./side-by-side.ts";

const MOST_TOKENS = 40;

/** `lockstep lora demo`. */
export async function runDemo(surroundings: Surroundings, folder: string, options: DemoCommandOptions): Promise<void> {
  const { stdout, env, clock, interrupt } = surroundings;
  const { adapter, memory: names } = options;
  const questions = await questionsOf(options);
  const model = await loadModelFolder(folder);
  try {
    const memory = names === undefined ? undefined : memoryOf(model, await loadPatterns(names));
    const backend = await computeOf(surroundings, options)(1);
    const generator = await openGenerator(model, backend, adapter, () => clock.nowMs());
    const ask = async (name: string | undefined, prompt: string, adjust?: AnswerOptions["adjust"]) => {
      generator.use(name);
      return await generator.answer(prompt, { maxTokens: MOST_TOKENS, adjust });
    };
    const taught = adapter === undefined ? undefined : ADAPTER;
    const hasColor = stdout.isTTY === true && (env.NO_COLOR ?? "") === "";
    stdout.write(`${columnHeads("before", memory === undefined ? "after" : "after, with memory")}\n`);
    for (const { prompt, answer } of questions) {
      interrupt.throwIfAborted();
      const adjust = memory?.adjustFor(prompt);
      const [left, right] = [await ask(undefined, prompt), await ask(taught, prompt, adjust)];
      const shown = [left, right].map(({ text }) => ({
        text,
        isRight: answer === undefined ? undefined : judgementOf(text, answer).isExact,
      }));
      const [first = { text: "", isRight: undefined }, second = first] = shown;
      stdout.write(`${sideBySide(prompt, first, second, hasColor)}\n\n`);
    }
    generator.close();
  } finally {
    await model.close();
  }
}

interface Question {
  readonly prompt: string;
  readonly answer?: string;
}

/** What is asked: what somebody typed, or else some of the test, by chance. */
async function questionsOf({ prompt, data, count, seed }: DemoCommandOptions): Promise<Question[]> {
  if (prompt.length > 0) return prompt.map((text) => ({ prompt: text }));
  const { test } =
    data === undefined ? makeDataset(await loadPatterns([]), { seed, variants: 1 }) : await readDataset(data);
  const stream = new RandomStream(seed, "demo");
  const left = [...test];
  return Array.from({ length: Math.min(count, test.length) }, () =>
    left.splice(stream.nextBelow(left.length), 1),
  ).flat();
}
