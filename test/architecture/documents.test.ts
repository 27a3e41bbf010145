import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BENCHES } from "../bench/registry.ts";
import { ROOT, sourceFiles } from "./sources.ts";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const ARCHITECTURE = read("docs/architecture.md");
const DESIGN = read("docs/design.md");

/** Paths of a tree of folders, two spaces deeper for each level, with what they are behind two spaces or more. */
function pathsOfTree(tree: string): string[] {
  const above: string[] = [];
  return [...tree.matchAll(/^( *)(\S+)(?: {2,}|$)/gm)]
    .filter(([, indent = ""]) => indent.length <= 6)
    .map(([, indent = "", name = ""]) => {
      above.splice(indent.length / 2, above.length, name.replace(/\/$/, ""));
      return above.join("/");
    });
}

test("every folder and file of the architecture's tree is there", () => {
  const [, tree = ""] = /## What lives where\n+```\n(.*?)```/s.exec(ARCHITECTURE) ?? [];
  const paths = pathsOfTree(tree);
  expect(paths.length).toBeGreaterThan(35);
  expect(paths).toContain("edge-sdk/src/transports");
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("every source file that a document names is there", () => {
  const sources = sourceFiles([".ts", ".tsx", ".js", ".c", ".h", ".py", ".wgsl"]).map(({ path }) => `/${path}`);
  const documents = sourceFiles([".md"]).filter(({ path }) => /^docs\/[^/]+\.md$/.test(path));
  const named = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:[\w-]+\/)*[\w.-]+\.(?:tsx?|js|c|h|py|wgsl))`/g)].map(([, file = ""]) => ({ path, file })),
  );
  expect(named.length).toBeGreaterThan(30);
  const gone = named.filter(({ file }) => !sources.some((source) => source.endsWith(`/${file}`)));
  expect(gone.map(({ path, file }) => `${path}: ${file}`)).toEqual([]);
});

test("every npm command that a document names is there: scripts, benchmarks, and tests by a part of their path", () => {
  const documents = sourceFiles([".md"]).map(({ path, text }) => ({ path, text: text.replace(/\s+/g, " ") }));
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const tests = sourceFiles([".test.ts"]).map(({ path }) => path);
  const commands = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/npm (?:(test)|run (?:-s )?([a-z][\w:-]*))(?: -- ((?:[\w./-]+ ?)+))?/g)].map(
      ([command, test, script = test ?? "", words = ""]) => ({
        ...{ said: `${path}: ${command}`, script },
        words: words.split(" ").filter((word) => /^[^-]/.test(word)),
      }),
    ),
  );
  expect(commands.length).toBeGreaterThan(200);
  const isThere = ({ script, words }: { script: string; words: readonly string[] }) => {
    if (script === "bench") return words.length === 0 || BENCHES.has(words[0] ?? "") || words[0] === "NAME";
    if (script === "test") return words.every((word) => tests.some((path) => path.includes(word)));
    return script in scripts;
  };
  expect(commands.filter((command) => !isThere(command)).map(({ said }) => said)).toEqual([]);
});

test("every dependency has its line in the design, which names none that is gone", () => {
  const [, libraries = ""] = DESIGN.split("\n## Libraries\n");
  const rows = [...libraries.matchAll(/^\| (?!library|tool|-)([^|]+) \|/gm)];
  const named = rows.flatMap(([, names = ""]) => names.split(", "));
  const { workspaces } = JSON.parse(read("package.json")) as { workspaces: readonly string[] };
  const manifests = ["", ...workspaces, "cloud-node/onnxruntime"].map(
    (folder) => JSON.parse(read(join(folder, "package.json"))) as Record<string, Record<string, string> | undefined>,
  );
  const own = new Set(manifests.map(({ name }) => String(name)));
  const used = manifests
    .flatMap(({ dependencies, devDependencies, optionalDependencies }) =>
      Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }),
    )
    .filter((name) => !own.has(name));
  expect(named.toSorted()).toEqual([...new Set(used)].sort());
});

test("every word of the glossary is used elsewhere, and stands once in its part", () => {
  const parts = read("docs/glossary.md").split(/^##+ /m);
  const terms = parts.flatMap((part) => {
    const own = [...part.matchAll(/^\| (?!word)([^|]+) \|/gm)].map(([, term = ""]) => term);
    expect(own.filter((term, i) => own.indexOf(term) !== i)).toEqual([]);
    return own;
  });
  expect(terms.length).toBeGreaterThan(150);
  const texts = sourceFiles([".md", ".ts", ".tsx", ".c", ".h"]).filter(({ path }) => path !== "docs/glossary.md");
  const words = texts.map(({ text }) => text.toLowerCase().replace(/\s+/g, " ")).join(" ");
  const isUsed = (word: string) => words.includes(word.replace(/ \(.*\)$/, "").toLowerCase());
  expect(terms.flatMap((term) => term.split(", ")).filter((word) => !isUsed(word))).toEqual([]);
});
