/**
 * What TypeDoc is told beside `typedoc.json`, so that the repository's documents and the API reference become one site:
 * which documents there are, what they are called, and where their pages lie. The documents themselves know nothing of it.
 */
import { copyFileSync, globSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, KindRouter, Renderer } from "typedoc";
import { PAGE_GROUPS } from "./pages.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MERMAID = fileURLToPath(import.meta.resolve("@mermaid-js/tiny/dist/mermaid.tiny.js"));
/** Before TypeDoc's own listeners, which sort pages by the names and groups that are given here. */
const FIRST = 1_000;

/** Every document with the title of its group, in the order of the navigation. */
function findPages() {
  /** @type {Map<string, string>} */
  const groupOf = new Map();
  for (const { title, files } of PAGE_GROUPS) {
    for (const pattern of files) {
      const found = globSync(pattern, { cwd: ROOT }).sort();
      if (found.length === 0) throw new RangeError(`scripts/site/pages.js: there is no ${pattern}`);
      for (const file of found) if (!groupOf.has(file)) groupOf.set(file, title);
    }
  }
  return groupOf;
}

/** Where a document lies in the repository. */
function sourceOf(document) {
  const path = document.project.files.getReflectionPath(document) ?? "";
  return relative(ROOT, path).split(sep).join("/");
}

/** Take the heading of a document out of its text: the page shows its name there. @returns the heading */
function takeHeading(content) {
  for (const part of content) {
    if (part.kind !== "text") continue;
    const [line, heading] = /^# (.+)\n/m.exec(part.text) ?? [];
    if (heading === undefined) continue;
    part.text = part.text.replace(line, "");
    return heading;
  }
  return undefined;
}

/** A block without a language is a picture or output; TypeDoc would colour it as TypeScript. */
function keepPlain(content) {
  for (const part of content) {
    if (part.kind === "code") part.text = part.text.replace(/^```\n/, "```text\n");
  }
}

/** Pages of documents lie as the documents do: `docs/guides/flashing.html`. */
class SourceRouter extends KindRouter {
  getIdealBaseName(reflection) {
    return reflection.isDocument() ? sourceOf(reflection).replace(/\.md$/, "") : `api/${super.getIdealBaseName(reflection)}`;
  }
}

/** @param {import("typedoc").Application} app */
export function load(app) {
  const groupOf = findPages();
  app.options.setValue("projectDocuments", [...groupOf.keys()]);
  app.options.setValue("groupOrder", [...PAGE_GROUPS.map(({ title }) => title), "Packages", "*"]);
  app.on(
    Application.EVENT_PROJECT_REVIVE,
    (project) => {
      for (const document of project.documents ?? []) {
        document.frontmatter.group = groupOf.get(sourceOf(document));
        document.name = takeHeading(document.content) ?? document.name;
        keepPlain(document.content);
      }
      for (const { readme } of [project, ...(project.children ?? [])]) {
        if (readme === undefined) continue;
        takeHeading(readme);
        keepPlain(readme);
      }
    },
    FIRST,
  );
  app.renderer.defineRouter("source", SourceRouter);
  app.renderer.on(Renderer.EVENT_END, ({ outputDirectory }) => {
    copyFileSync(MERMAID, join(outputDirectory, "assets", "mermaid.js"));
  });
}
