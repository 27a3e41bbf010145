import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runLockstep } from "./lockstep-process.ts";

const GUIDE = readFileSync(fileURLToPath(new URL("../../docs/guides/lora.md", import.meta.url)), "utf8");
/** Folders and files of the guide's lines. */
const PLACES = /^(?:engram|data|tiny|adapter|merged|results|team\.yaml|report\.md|accuracy\.svg)(?=\/|$)/;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-lora-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A line of the guide, with its places in the folder. */
async function typed(line: string) {
  const words = [...line.replace(/^npx lockstep /, "").matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, word = ""]) => quoted ?? word,
  );
  return await runLockstep(...words.map((word) => (PLACES.test(word) ? join(folder, word) : word)));
}

test("every command of the guide does what it says, in its order", async () => {
  const [, yaml = ""] = /```yaml\n# team\.yaml\n([\s\S]*?)```/.exec(GUIDE) ?? [];
  writeFileSync(join(folder, "team.yaml"), yaml);
  const lines = [...GUIDE.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.trimEnd().split("\n"));
  expect(lines.length).toBeGreaterThan(9);
  const outputs: string[] = [];
  for (const line of lines) {
    const { code, stdout, stderr } = await typed(line);
    expect(code, `${line}\n${stderr}`).toBe(0);
    outputs.push(stdout);
  }
  const [all = "", demo = ""] = outputs;
  expect(all).toMatch(/validation loss \d/);
  expect(demo.split("\n").every((line) => line.length <= 80)).toBe(true);
  // The memory alone knows where the printers are.
  expect(outputs.at(-1)).toContain("B 12");
  expect(readFileSync(join(folder, "report.md"), "utf8")).toContain("| all |");
  expect(JSON.parse(readFileSync(join(folder, "adapter", "adapter_config.json"), "utf8"))).toMatchObject({ r: 8 });
  expect(readFileSync(join(folder, "engram", "accuracy.svg"), "utf8")).toContain("</svg>");
});

test.for([
  [["lora", "train", "absent", "--data", "nowhere", "--out", "a"], /there is no .*train\.jsonl/],
  [["lora", "compare", "a.json", "b.json"], /there is no a\.json/],
  [["lora", "generate", "absent.yaml", "--out", "d"], /no patterns in absent\.yaml/],
  [["lora", "merge", "absent", "adapter", "--out", "m"], /absent.*no folder/],
] as const)("%s ends with one line that says what is missing", async ([args, message]) => {
  const { code, stderr } = await runLockstep(...args);
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});
