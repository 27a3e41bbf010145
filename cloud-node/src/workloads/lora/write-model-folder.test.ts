import { afterAll, describe, expect, test } from "vitest";
import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { llamaName } from "./llama-names.ts";
import { drawnNumbers, LlamaRig, TINY } from "./llama-rig.suite.ts";
import { loadModelFolder, readTokenizerFiles } from "./model-folder.ts";
import { writeModelFolder } from "./write-model-folder.ts";

const rig = new LlamaRig();
afterAll(() => rig.close());

async function parts(name: string, more: object = {}) {
  const folder = rig.write(name, { ...TINY, ...more }, "BF16");
  const model = await loadModelFolder(folder);
  return { model, parts: { ...model, ...(await readTokenizerFiles(folder)), ends: [...model.ends] } };
}

describe("a model that is written", () => {
  test.each([{ tie_word_embeddings: true }, { tie_word_embeddings: false, rope_theta: 100_000 }])(
    "is read as it was: %o",
    async (more) => {
      const name = `tied ${more.tie_word_embeddings}`;
      const { model, parts: given } = await parts(name, more);
      const folder = rig.path(`${name}, again`);
      await writeModelFolder(folder, given);
      const again = await loadModelFolder(folder);
      expect(again.config).toEqual(model.config);
      expect([...again.ends]).toEqual([...model.ends]);
      expect(again.chat.question("Why?")).toBe(model.chat.question("Why?"));
      for (const { name: own, shape } of parameterSpecs(model.config)) {
        expect(await again.weights.floats(own, shape), own).toEqual(drawnNumbers(llamaName(own), shape));
      }
      await expect(writeModelFolder(folder, given)).rejects.toMatchObject({ code: "folder-taken" });
      for (const each of [model, again]) await each.close();
    },
  );

  const OTHERS: readonly Partial<ModelConfig>[] = [
    ...[{ activation: "gelu" } as const, { norm: "rms-plain" } as const, { positions: "learned" } as const],
    ...[{ qkNorm: 1 }, { softcap: 15 }, { embeddingNorm: true }, { kind: "bigram" } as const],
  ];
  test.each(OTHERS)("is a Llama: %o is none", async (more) => {
    const { model, parts: given } = await parts("llama");
    const config = { ...given.config, ...more };
    const writing = writeModelFolder(rig.path("other"), { ...given, config });
    await expect(writing).rejects.toMatchObject({ code: "unsupported-model" });
    await model.close();
  });
});
