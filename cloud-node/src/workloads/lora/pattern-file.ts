import * as v from "valibot";
import { isMap, LineCounter, type Node, parseDocument, visit } from "yaml";
import { LoraError } from "./lora-error.ts";

/** Two wordings are learned from, and one is for the test. */
const LEAST_ASKS = 3;
/** What a model of a short context can still be asked and say. */
const MOST_ASK_CHARACTERS = 400;
const MOST_ANSWER_CHARACTERS = 1000;
/** A table's wordings have the key in place of this. */
export const KEY_MARK = "{key}";
const FILE_REMEDY = "see docs/guides/lora.md for what a file of patterns has";

const text = (most: number) =>
  v.pipe(
    v.string("write a text, in quotes where YAML would take it for something else"),
    v.trim(),
    v.nonEmpty("it is empty"),
    v.maxLength(most),
  );
const name = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]*$/, "write it in small letters, digits and _"));
const asks = v.pipe(
  v.array(text(MOST_ASK_CHARACTERS)),
  v.minLength(LEAST_ASKS, `${LEAST_ASKS} wordings at least: the last is kept for the test`),
);
const answer = text(MOST_ANSWER_CHARACTERS);

const fileSchema = v.pipe(
  v.strictObject({
    category: name,
    patterns: v.optional(v.array(v.strictObject({ asks, answer })), []),
    tables: v.optional(
      v.array(
        v.strictObject({
          name,
          asks: v.pipe(
            asks,
            v.everyItem((ask) => ask.split(KEY_MARK).length === 2, `every wording has ${KEY_MARK} once`),
          ),
          answers: v.pipe(v.record(text(MOST_ASK_CHARACTERS), answer), v.minEntries(1)),
        }),
      ),
      [],
    ),
  }),
  v.check(({ patterns, tables }) => patterns.length + tables.length > 0, "there are neither patterns nor tables"),
);

/** What a file of patterns says, with the line of each entry. */
export type PatternFileContent = v.InferOutput<typeof fileSchema> & {
  /** @param path  such as ["patterns", 3] @returns counted from 1 */
  lineOf(path: readonly (string | number)[]): number;
};

/**
 * A file of patterns, checked.
 *
 * @param name  for errors, which say the line, too
 * @throws {LoraError} `bad-pattern`
 */
export function parsePatternFile(name: string, source: string): PatternFileContent {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const [problem = ""] = broken.message.split("\n");
    throw badPattern(`${name}:${lines.linePos(broken.pos[0]).line}: no YAML: ${problem.replace(/ at line.*$/, "")}`);
  }
  const lineOf = (path: readonly (string | number)[]): number => {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
      const at = placeOf(parent, path[length - 1]);
      if (at !== undefined) return lines.linePos(at).line;
    }
    return 1;
  };
  visit(document, {
    Alias(_, { range }) {
      const { line } = lines.linePos(range?.[0] ?? 0);
      throw badPattern(`${name}:${line}: it means another place by *, which patterns do without`);
    },
  });
  const { output, issues } = v.safeParse(fileSchema, document.toJS() as unknown);
  if (issues !== undefined) {
    const [issue] = issues;
    const path = (issue.path ?? []).map(({ key }) => key as string | number);
    throw badPattern(`${name}:${lineOf(path)}: ${pathText(path)}${problemOf(issue)}`);
  }
  return { ...output, lineOf };
}

/** Where a member of a map or a list begins; of a map, its key. */
function placeOf(parent: unknown, key: string | number | undefined): number | undefined {
  if (isMap(parent)) {
    const pair = parent.items.find((item) => String((item.key as Node | null)?.toJSON() ?? item.key) === String(key));
    return (pair?.key as Node | null | undefined)?.range?.[0];
  }
  const items = (parent as { items?: readonly (Node | null)[] } | undefined)?.items;
  return typeof key === "number" ? items?.[key]?.range?.[0] : undefined;
}

function problemOf({ type, expected, received, message }: v.BaseIssue<unknown>): string {
  if (type === "strict_object") {
    return expected === "never" ? "there is no such entry" : received === "undefined" ? "it is missing" : message;
  }
  return message;
}

function pathText(path: readonly (string | number)[]): string {
  const text = path.map((key, at) => (typeof key === "number" ? `[${key}]` : `${at > 0 ? "." : ""}${key}`)).join("");
  return text === "" ? "" : `${text}: `;
}

function badPattern(problem: string): LoraError {
  return new LoraError("bad-pattern", problem, FILE_REMEDY);
}
