import { existsSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";
import { anchorsOf, linksOf } from "./markdown-links.ts";
import { ROOT, sourceFiles } from "./sources.ts";

const DOCUMENTS = sourceFiles([".md"]);

/** What is wrong with a document's links, in words. @param path  of the document, from the root */
function deadLinks(path: string, text: string): string[] {
  return linksOf(text).flatMap((link) => {
    const target = link.path === "" ? path : posix.join(posix.dirname(path), link.path);
    const said = `${path}: ${link.path}${link.anchor === "" ? "" : `#${link.anchor}`}`;
    if (target.startsWith("../")) return [`${said} leaves the repository`];
    if (target !== path && !existsSync(`${ROOT}${target}`)) return [`${said} is not there`];
    if (target !== path && !statSync(`${ROOT}${target}`).isFile()) return [`${said} is a folder: name a file of it`];
    if (link.anchor === "" || !target.endsWith(".md")) return [];
    const there = target === path ? text : readFileSync(`${ROOT}${target}`, "utf8");
    return anchorsOf(there).has(link.anchor) ? [] : [`${said}: no such heading`];
  });
}

test("every link of a document leads to a file that is there, and to a heading of it", () => {
  expect(DOCUMENTS.length).toBeGreaterThan(60);
  expect(DOCUMENTS.flatMap(({ text }) => linksOf(text)).length).toBeGreaterThan(150);
  expect(DOCUMENTS.flatMap(({ path, text }) => deadLinks(path, text))).toEqual([]);
});

test("every document of docs/ is reached by links from the first page", () => {
  const reached = new Set<string>();
  const follow = (path: string) => {
    if (reached.has(path) || !path.endsWith(".md")) return;
    reached.add(path);
    const { text = "" } = DOCUMENTS.find((document) => document.path === path) ?? {};
    for (const link of linksOf(text)) if (link.path !== "") follow(posix.join(posix.dirname(path), link.path));
  };
  follow("README.md");
  expect(reached).toContain("docs/README.md");
  const documents = DOCUMENTS.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
  expect(documents.filter((path) => !reached.has(path))).toEqual([]);
});

test("a dead link is found, whatever kind it is, and code is no link", () => {
  const text = [
    "# One `two`: [three](README.md)!",
    "[a](#one-two-three) [b](#one) [c](gone.md) [d](guides) [e](../../x.md) [f](glossary.md#nothing) `[g](no.md)`",
    "```\n[h](no.md)\n```",
    '<img src="gone.png"> [i](https://example.org/gone) ![j](glossary.md "title")',
    "[k]: gone-too.md",
  ].join("\n\n");
  expect(deadLinks("docs/page.md", text)).toEqual([
    "docs/page.md: #one: no such heading",
    "docs/page.md: gone.md is not there",
    "docs/page.md: guides is a folder: name a file of it",
    "docs/page.md: ../../x.md leaves the repository",
    "docs/page.md: glossary.md#nothing: no such heading",
    "docs/page.md: gone-too.md is not there",
    "docs/page.md: gone.png is not there",
  ]);
});

test("headings of one name get numbers, as a Git host gives them", () => {
  expect([...anchorsOf("# A b\n## A b\n### `c_d` (e)\n```\n# no\n```\n#### Größe, ×2\n")]).toEqual([
    "a-b",
    "a-b-1",
    "c_d-e",
    "größe-2",
  ]);
});
