import { expect, test } from "vitest";
import { type SourceFile, sourceFiles } from "./sources.ts";

const CODE = sourceFiles([".ts", ".tsx", ".js", ".c", ".h", ".wgsl"]);
const TYPESCRIPT = CODE.filter(({ path }) => /\.tsx?$/.test(path));

/** Words that say nothing about what is inside; as a whole name, or as the last word of one. */
const EMPTY_NAME =
  /(^|\/)([a-z0-9-]+-)?(utils?|helpers?|common|misc|manager)(\.|\/)|(^|\/)(types|base|shared|service)(\.|\/)/;
const LINE_LIMIT = 400;
const LINE_LIMIT_OF_TESTS_AND_TABLES = 500;

test("the sources were found", () => {
  expect(CODE.length).toBeGreaterThan(30);
});

test("no file or folder has a name that says nothing", () => {
  expect(CODE.map(({ path }) => path).filter((path) => EMPTY_NAME.test(path))).toEqual([]);
});

test("no file is over its limit of lines", () => {
  const tooLong = CODE.filter((file) => !isGenerated(file) && lines(file) > limitOf(file));
  expect(tooLong.map((file) => `${file.path}: ${lines(file)} lines, limit ${limitOf(file)}`)).toEqual([]);
});

test.for([
  ["exports everything at once", /^export \* from/m],
  ["throws a plain error", /\bthrow new Error\(/],
  ["has a default export", /^export default /m],
] as const)("no source %s", ([, pattern]) => {
  const found = TYPESCRIPT.filter(({ path, text }) => pattern.test(text) && !isToolConfig(path));
  expect(found.map(({ path }) => path)).toEqual([]);
});

/** Tools read the default export of their configuration. */
function isToolConfig(path: string): boolean {
  return /(^|\/)vite(st)?\.config\.ts$/.test(path);
}

function isGenerated({ text }: SourceFile): boolean {
  return /\bgenerated\b.*do not edit/i.test(text.slice(0, 500));
}

function limitOf({ path, text }: SourceFile): number {
  const isTest = /\.(test|suite)\.ts$/.test(path);
  const isFrozenTable = /\bfrozen table\b/i.test(text.slice(0, 500));
  return isTest || isFrozenTable ? LINE_LIMIT_OF_TESTS_AND_TABLES : LINE_LIMIT;
}

function lines({ text }: SourceFile): number {
  return text.split("\n").length - 1;
}
