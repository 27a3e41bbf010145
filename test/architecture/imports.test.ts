import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { liesIn, mayImport, readImportTable, rowOf } from "./import-table.ts";
import { ROOT, sourceFiles } from "./sources.ts";

const ROWS = readImportTable(readFileSync(join(ROOT, "docs/architecture.md"), "utf8"));
const PACKAGE_FOLDERS = packageFolders();
const FILES = sourceFiles([".ts", ".tsx"]).filter(({ path }) => path.includes("/"));

test("the table of imports and the sources were found", () => {
  expect(ROWS.length).toBeGreaterThan(20);
  expect(FILES.length).toBeGreaterThan(20);
  expect(PACKAGE_FOLDERS.get("@lockstep/protocol")).toBe("protocol");
});

test("every source file belongs to a row of the table", () => {
  const homeless = FILES.filter(({ path }) => !path.startsWith("scripts/") && rowOf(path, ROWS) === undefined);
  expect(homeless.map(({ path }) => path)).toEqual([]);
});

test("no file imports what the table does not allow", () => {
  const wrong = FILES.flatMap(({ path, text }) =>
    ownImports(path, text)
      .filter((target) => !isAllowed(path, target))
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("each row of the table is there once, and allows nothing that nobody imports", () => {
  expect(ROWS.map(({ from }) => from).filter((from, i, all) => all.indexOf(from) !== i)).toEqual([]);
  const imported = new Map(ROWS.map((row) => [row, new Set<string>()]));
  for (const { path, text } of FILES) {
    const row = rowOf(path, ROWS);
    if (row !== undefined) for (const target of ownImports(path, text)) imported.get(row)?.add(target);
  }
  const idle = ROWS.flatMap((row) =>
    row.allowed
      .filter((area) => ![...(imported.get(row) ?? [])].some((target) => liesIn(target, area)))
      .map((area) => `${row.from}: ${area}`),
  );
  expect(idle).toEqual([]);
});

test("no relative import leaves its package, except from a test to the scripts", () => {
  const wrong = FILES.flatMap(({ path, text }) =>
    relativeImports(path, text)
      .filter((target) => packageOf(target) !== packageOf(path) && !target.startsWith("scripts/"))
      .filter(() => !path.includes("/assembly/"))
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("a workload may import the jobs' interface, and neither the jobs' queue nor a sibling", () => {
  const workload = "cloud-node/src/workloads/trajectory/trajectory.ts";
  expect(mayImport(workload, "cloud-node/src/jobs/workload.ts", ROWS)).toBe(true);
  expect(mayImport(workload, "cloud-node/src/workloads/trajectory/box.ts", ROWS)).toBe(true);
  expect(mayImport(workload, "cloud-node/src/jobs/sqlite-queue.ts", ROWS)).toBe(false);
  expect(mayImport(workload, "cloud-node/src/workloads/vector-index/shard.ts", ROWS)).toBe(false);
});

test("the cloud sees the core of the device's kit, and no transport", () => {
  const twin = "cloud-node/src/reconstructor/twin.ts";
  expect(mayImport(twin, "edge-sdk/core", ROWS)).toBe(true);
  expect(mayImport(twin, "edge-sdk", ROWS)).toBe(false);
});

function isAllowed(importer: string, target: string): boolean {
  if (importer.startsWith("scripts/")) return target.startsWith("scripts/") || target.startsWith("cloud-node/bin/");
  const isTest = /\.(test|suite|bench)\.ts$/.test(importer);
  if (isTest && !importer.startsWith("test/")) return !target.startsWith("test/");
  return mayImport(importer, target, ROWS);
}

/** What a file imports of ours, as paths from the root: files for relative imports, folders for packages. */
function ownImports(path: string, text: string): string[] {
  const packages = specifiers(text).flatMap((specifier) => packageTarget(specifier) ?? []);
  return [...relativeImports(path, text), ...packages];
}

function relativeImports(path: string, text: string): string[] {
  return specifiers(text)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(path), specifier));
}

function packageTarget(specifier: string): string | undefined {
  for (const [name, folder] of PACKAGE_FOLDERS) {
    if (specifier === name || specifier.startsWith(`${name}/`)) return folder + specifier.slice(name.length);
  }
  return undefined;
}

function specifiers(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function packageOf(path: string): string {
  const inside = [...PACKAGE_FOLDERS.values()].filter((folder) => path.startsWith(`${folder}/`));
  return inside.sort((a, b) => b.length - a.length)[0] ?? "";
}

function packageFolders(): Map<string, string> {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { workspaces: string[] };
  return new Map(
    workspaces.map((folder) => {
      const { name } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as { name: string };
      return [name, folder];
    }),
  );
}
