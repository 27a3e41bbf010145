import type { Pattern } from "./example.ts";
import { LoraError } from "./lora-error.ts";
import { nearDuplicates, type PlacedText } from "./near-duplicate.ts";
import { KEY_MARK, type PatternFileContent, parsePatternFile } from "./pattern-file.ts";

/** A file of patterns as it was read. */
export interface PatternSource {
  /** For errors. */
  readonly name: string;
  /** YAML. */
  readonly text: string;
}

/** A pattern and the line that it stands in. */
interface PlacedPattern {
  readonly pattern: Pattern;
  /** `facts.yaml:12`. */
  readonly place: string;
}

/**
 * Patterns of several files, checked one by one and against each other.
 *
 * @throws {LoraError} `bad-pattern` with file and line; `near-duplicate` with both places
 */
export function readPatterns(sources: readonly PatternSource[]): Pattern[] {
  const counts = new Map<string, number>();
  const placed = sources.flatMap(({ name, text }) => {
    const content = parsePatternFile(name, text);
    const { category } = content;
    return entriesOf(content).map(({ path, ...entry }): PlacedPattern => {
      const number = (counts.get(category) ?? 0) + 1;
      counts.set(category, number);
      return {
        pattern: { id: `${category}/${number}`, category, ...entry },
        place: `${name}:${content.lineOf(path)}`,
      };
    });
  });
  if (placed.length === 0) {
    throw new LoraError("too-few-patterns", "there are no patterns", "give a file of patterns, or a folder of them");
  }
  refuseDuplicates(placed);
  return placed.map(({ pattern }) => pattern);
}

type Entry = Omit<Pattern, "id" | "category"> & { readonly path: readonly (string | number)[] };

/** Patterns as they stand, and one for each row of a table. */
function entriesOf({ patterns, tables }: PatternFileContent): Entry[] {
  const written = patterns.map(({ asks, answer }, at): Entry => ({ asks, answer, path: ["patterns", at] }));
  const rows = tables.flatMap(({ name: table, asks, answers }, at) =>
    Object.entries(answers).map(
      ([key, answer]): Entry => ({
        asks: asks.map((ask) => ask.replace(KEY_MARK, () => key)),
        answer,
        lookup: { table, key },
        path: ["tables", at, "answers", key],
      }),
    ),
  );
  return [...written, ...rows];
}

/** Two patterns that ask nearly the same would teach two answers to it, or one twice. */
function refuseDuplicates(placed: readonly PlacedPattern[]): void {
  const texts = placed.flatMap(({ pattern, place }) =>
    pattern.asks.map((text): PlacedText<string> => ({ text, place })),
  );
  const [pair] = nearDuplicates(texts);
  if (pair === undefined) return;
  const [later, first] = pair;
  const problem = `${later.place}: "${later.text}" says nearly what "${first.text}" says in ${first.place}`;
  throw new LoraError("near-duplicate", problem, "leave one of them out, or word it otherwise");
}
