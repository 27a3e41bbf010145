import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { LlamaRig, TINY } from "./llama-rig.suite.ts";
import { loadModelFolder } from "./model-folder.ts";
import { tokenizeExamples } from "./tokenized-example.ts";

const rig = new LlamaRig();
afterAll(() => rig.close());
let folders = 0;

async function withConfig(edit: (config: Record<string, unknown>) => Record<string, unknown>, apart?: string) {
  folders += 1;
  const folder = rig.write(`model-${folders}`, TINY);
  const path = join(folder, "tokenizer_config.json");
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, "utf8")))));
  if (apart !== undefined) writeFileSync(join(folder, "chat_template.jinja"), apart);
  return await loadModelFolder(folder);
}

describe("a chat's template", () => {
  test("says where a question ends and an answer begins", async () => {
    const model = await withConfig((config) => config);
    expect(model.chat.question("Why?")).toBe("<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n");
    expect(model.chat.exchange("Why?", "So.")).toBe(`${model.chat.question("Why?")}So.<|im_end|>\n`);
    await model.close();
  });

  test("may be one of several by name, in a file of its own, or not there", async () => {
    const named = [
      { name: "tool_use", template: "t" },
      { name: "default", template: "d{{ messages[0].content }}" },
    ];
    const one = await withConfig((config) => ({ ...config, chat_template: named }));
    const two = await withConfig((config) => config, "f{{ messages[0].content }}{{ eos_token }}");
    const three = await withConfig(() => ({}));
    const found = [one, two, three].map(({ chat }) => chat.question("Why?"));
    expect(found).toEqual(["dWhy?", "fWhy?<|im_end|>", "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"]);
    for (const model of [one, two, three]) await model.close();
  });

  test("has examples whose question is what is asked, and whose answer ends", async () => {
    const ends = "{{ messages[0].content }}|{% for m in messages[1:] %}{{ m.content }}{% endfor %}";
    const trimmed =
      "{% for m in messages %}{{ m.content | trim }}|{% endfor %}{% if add_generation_prompt %}>{% endif %}";
    for (const template of [ends, trimmed]) {
      const model = await withConfig((config) => ({ ...config, chat_template: template }));
      const [example] = tokenizeExamples(model, [{ prompt: "one ", answer: "two" }]);
      expect([...(example?.tokens ?? [])].slice(0, example?.answerFrom)).toEqual([...model.chatTokens("one ")]);
      const answer = [...(example?.tokens ?? [])].slice(example?.answerFrom);
      expect(answer.at(-1)).toBe(2);
      expect(model.tokenizer.decode(answer)).toMatch(/^two/);
      await model.close();
    }
  });

  test("that fails says so", async () => {
    const model = await withConfig((config) => ({
      ...config,
      chat_template: "{{ raise_exception('no users here') }}",
    }));
    const failure = { code: "bad-template", problem: expect.stringContaining("no users here") };
    expect(() => model.chat.question("Why?")).toThrow(expect.objectContaining(failure));
    await model.close();
  });

  test("is refused where it is larger than any", async () => {
    const long = withConfig((config) => ({ ...config, chat_template: " ".repeat(200_001) }));
    await expect(long).rejects.toMatchObject({ code: "bad-template" });
  });
});
