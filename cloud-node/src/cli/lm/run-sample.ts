import { RandomStream } from "../../tensor/random.ts";
import { Checkpoint } from "../../workloads/language-model/checkpoint.ts";
import { Decoder } from "../../workloads/language-model/decoder.ts";
import { BACKEND_CHOICES, openBackend } from "../../workloads/language-model/open-backend.ts";
import { checkpointOf } from "../../workloads/language-model/run-folder.ts";
import { promptTokens, sampleText } from "../../workloads/language-model/sample-text.ts";
import { CommandError } from "../command-error.ts";
import type { SampleCommandOptions } from "../lm.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { vectorBitsOf } from "./vector-bits.ts";

/** Between samples. */
const RULE = "\n---\n";

/** `lockstep lm sample`. */
export async function runSample(surroundings: Surroundings, run: string, options: SampleCommandOptions): Promise<void> {
  const { stdout, interrupt } = surroundings;
  const { prompt, count, seed, json, backend = BACKEND_CHOICES[0] } = options;
  const stops = options.stop.map((stop) => stop.replaceAll("\\n", "\n"));
  if (stops.includes(""))
    throw new CommandError("usage", "--stop is empty", "write what a sample is to end in front of");
  const checkpoint = await Checkpoint.open(await checkpointOf(run, options.newest === true ? "newest" : "best"));
  try {
    const { tokenizer, config, path, progress } = checkpoint;
    const first = promptTokens(config, tokenizer, prompt);
    const decoder = await Decoder.create(
      await openBackend({ name: backend, shards: 1, threads: 1, vectorBits: vectorBitsOf(surroundings.env) }),
      checkpoint.model,
      checkpoint.reader,
    );
    const samples: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const stream = new RandomStream(seed, `sample/${index}`);
      const request = { ...options, stops, uniform: () => stream.nextUniform() };
      const pieces = [index > 0 && json !== true ? RULE : "", prompt];
      if (json !== true) stdout.write(pieces.join(""));
      let sample = prompt;
      decoder.reset();
      for await (const piece of sampleText(decoder, tokenizer, first, request)) {
        sample += piece;
        if (json !== true) stdout.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
        interrupt.throwIfAborted();
      }
      samples.push(sample);
    }
    decoder.close();
    await writeResult(surroundings, json, { checkpoint: path, step: progress.step, prompt, samples }, "");
  } finally {
    await checkpoint.close();
  }
}
