import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LAUNCHERS: Readonly<Record<string, string>> = {
  lockstep: join(ROOT, "cloud-node/bin/lockstep.js"),
  vlc: join(ROOT, "cloud-node/bin/vlc.js"),
};
const GUIDE = readFileSync(join(ROOT, "docs/guides/vector-index.md"), "utf8");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-index-guide-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function blocks(language: string): string[] {
  return [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text]) => text ?? "");
}

/** Type a line in the folder. @returns what it printed */
function type(line: string): string {
  const [program = "", ...args] = line.split(" ").filter((word) => word !== "npx");
  const launcher = LAUNCHERS[program];
  const words = launcher === undefined ? args : [launcher, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
  expect(status, `${line}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

test("the guide of the vector index does what it says, line by line", () => {
  writeFileSync(join(folder, "make-vectors.mjs"), blocks("js")[0] ?? "");
  const lines = blocks("sh").flatMap((block) => block.trimEnd().split("\n"));
  expect(lines.length).toBeGreaterThan(9);
  const told = new Map(lines.map((line) => [line, type(line)]));
  const of = (words: string) => [...told].find(([line]) => line.includes(words))?.[1] ?? "";

  expect(of("build")).toContain("base.vlc: 5\u202f000 x 64");
  expect(of("info")).toMatch(/^once +\d/m);
  for (const plot of ["lists.svg", "recall.svg"]) expect(readFileSync(join(folder, plot), "utf8")).toMatch(/^<svg /);
  // Of all lists: the codes alone.
  const [, recall] = /^ *[\d\u202f]+ +[\d.]+ +([\d.]+) [^\n]*\n$/m.exec(of("eval")) ?? [];
  expect(Number(recall)).toBeGreaterThan(0.9);
  expect(of("--k 5").trimEnd().split("\n")).toHaveLength(100);
  expect(JSON.parse(of("--json")).answers[0].ids).toHaveLength(3);
  expect(statSync(join(folder, "found.ivecs")).size).toBe(100 * 4 * 11);
  expect(of("add")).toContain("100 vectors added, ids from 5000 on");
  expect(of("delete")).toContain("51 vectors deleted");
  expect(of("decode")).toContain("5\u202f049 x 64, the 51 that were deleted left out");
});

test("the guide's program prints what stands below it", () => {
  const [, source = "", printed = ""] = /```ts\n(.*?)```\n\n```\n(.*?)```/s.exec(GUIDE) ?? [];
  expect(source).not.toBe("");
  // Inside the checkout, so that the packages are found.
  const place = join(ROOT, ".lockstep", "vector-index-guide");
  mkdirSync(place, { recursive: true });
  try {
    writeFileSync(join(place, "program.mts"), source);
    const { stdout, stderr } = spawnSync(process.execPath, [join(place, "program.mts")], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout, stderr).toBe(printed);
  } finally {
    rmSync(place, { recursive: true });
  }
});
