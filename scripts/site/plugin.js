/**
 * What TypeDoc is told beside `typedoc.json`, so that the repository's documents and the API reference become one site:
 * which documents there are, what they are called, and where their pages lie. The documents themselves know nothing of it.
 */
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, DocumentReflection, KindRouter, MinimalSourceFile, Renderer } from "typedoc";
import { notebookMarkdown } from "./notebook.js";
import { PAGE_GROUPS } from "./pages.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MERMAID = fileURLToPath(import.meta.resolve("@mermaid-js/tiny/dist/mermaid.tiny.js"));
/** Figures of notebooks, for TypeDoc to find as files. */
const FIGURES = join(ROOT, ".lockstep", "site");
/** Before TypeDoc's own listeners, which sort pages by the names and groups that are given here. */
const FIRST = 1_000;
/** In a search a page comes before fields of the same name, which there are many of. */
const PAGE_BOOST = 40;

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

/** @returns the first heading of a document, which is its name */
function headingOf(content) {
  for (const part of content) {
    const [, heading] = (part.kind === "text" && /^# (.+)$/m.exec(part.text)) || [];
    if (heading !== undefined) return heading;
  }
  return undefined;
}

/** A block without a language is a picture made of characters, or output; TypeDoc would colour it as TypeScript. */
function keepPlain(markdown) {
  const { highlight } = markdown.options;
  markdown.set({ highlight: (code, language, attributes) => highlight(code, language || "text", attributes) });
}

/** A notebook as one more document. @param {string} file  from the root */
function addNotebook(app, project, file) {
  const path = join(ROOT, file);
  mkdirSync(FIGURES, { recursive: true });
  let count = 0;
  const text = notebookMarkdown(readFileSync(path, "utf8"), (png) => {
    count += 1;
    const figure = join(FIGURES, `${basename(file, ".ipynb")}-${count}.png`);
    writeFileSync(figure, png);
    return relative(dirname(path), figure).split(sep).join("/");
  });
  const { content } = app.converter.parseRawComment(new MinimalSourceFile(text, path), project.files);
  const document = new DocumentReflection(file, project, content, {});
  project.addChild(document);
  project.registerReflection(document, undefined, path);
}

/** Pages of documents lie as the documents do: `docs/guides/flashing.html`. */
class SourceRouter extends KindRouter {
  getIdealBaseName(reflection) {
    return reflection.isDocument()
      ? sourceOf(reflection).replace(/\.\w+$/, "")
      : `api/${super.getIdealBaseName(reflection)}`;
  }
}

/** @param {import("typedoc").Application} app */
export function load(app) {
  const groupOf = findPages();
  const documents = [...groupOf.keys()];
  // What is set before TypeDoc has read its options for good is forgotten.
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    app.options.setValue(
      "projectDocuments",
      documents.filter((file) => file.endsWith(".md")),
    );
    app.options.setValue("groupOrder", [...PAGE_GROUPS.map(({ title }) => title), "*"]);
    app.options.setValue("searchGroupBoosts", Object.fromEntries(PAGE_GROUPS.map(({ title }) => [title, PAGE_BOOST])));
    app.options.setValue("markdownItLoader", keepPlain);
  });
  app.on(
    Application.EVENT_PROJECT_REVIVE,
    (project) => {
      for (const file of documents) if (file.endsWith(".ipynb")) addNotebook(app, project, file);
      for (const document of project.documents ?? []) {
        document.frontmatter.group = groupOf.get(sourceOf(document));
        document.name = headingOf(document.content) ?? document.name;
      }
    },
    FIRST,
  );
  app.renderer.defineRouter("source", SourceRouter);
  app.renderer.on(Renderer.EVENT_END, ({ outputDirectory }) => {
    copyFileSync(MERMAID, join(outputDirectory, "assets", "mermaid.js"));
  });
}
