import { parseArgs } from "node:util";
import type { BenchOptions } from "./bench.ts";
import { BENCHES, type BenchEntry, type BenchOptionName } from "./registry.ts";

/** A run that was asked for. */
export interface BenchRequest extends BenchOptions {
  readonly name: string;
  readonly entry: BenchEntry;
  readonly asJson: boolean;
  /** In `docs/results`. */
  readonly isKept: boolean;
}

/** What a command line comes to: a run, the help that it asks for, or why it cannot be run. */
export type ReadRequest = { readonly request: BenchRequest } | { readonly help: string } | { readonly refusal: string };

const COMMAND = "npm run -s bench --";

/** Options of every benchmark, with what they mean. */
const COMMON = {
  json: "print one JSON object and nothing else, in place of the page; npm prints lines of its own without -s",
  write: "keep the page and its plots in docs/results, too",
  help: "this",
} as const;

const OWN: readonly BenchOptionName[] = ["data", "rel", "frame-samples", "cases", "parts", "quick"];

/** Options of which a second one would silently stand for the first. */
const ONCE: readonly BenchOptionName[] = ["data", "frame-samples", "cases", "parts"];

const OPTIONS = {
  data: { type: "string" },
  rel: { type: "string", multiple: true },
  "frame-samples": { type: "string" },
  cases: { type: "string" },
  parts: { type: "string" },
  quick: { type: "boolean" },
  json: { type: "boolean" },
  write: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** @param args  the command line after the program */
export function readRequest(args: readonly string[]): ReadRequest {
  // Not strict: what is wrong is told with the options of the benchmark that is meant
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: OPTIONS,
  });
  const [name, ...rest] = positionals;
  const entry = name === undefined ? undefined : BENCHES.get(name);
  if (name !== undefined && entry === undefined) {
    return { refusal: `bench: there is no "${name}"; NAME is one of: ${[...BENCHES.keys()].join(", ")}` };
  }
  if (values.help === true) {
    return { help: name === undefined || entry === undefined ? helpOfAll() : helpOf(name, entry) };
  }
  if (name === undefined || entry === undefined) return { refusal: `bench: no NAME given\n${helpOfAll()}` };
  for (const token of tokens) {
    const fault = token.kind === "option" ? faultOf(token, name, entry) : undefined;
    if (fault !== undefined) return { refusal: `bench: ${fault}` };
  }
  const given = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
  const twice = ONCE.find((option) => given.indexOf(option) !== given.lastIndexOf(option));
  if (twice !== undefined) return { refusal: `bench: --${twice} is given twice: give it once` };
  if (rest.length > 0) return { refusal: `bench: one benchmark at a time: "${rest[0]}" is too much` };
  const rels = listOf(values.rel).flatMap((list) => list.split(","));
  const badRel = rels.find((rel) => !(Number(rel) > 0 && Number(rel) < 1));
  if (badRel !== undefined)
    return { refusal: `bench: --rel ${badRel}: give bounds above 0 and below 1: --rel 0.1,0.01` };
  if (entry.isOneBound === true && rels.length > 1) {
    return { refusal: `bench: --rel ${rels.join()}: ${name} takes one bound: --rel ${rels[0]}` };
  }
  const frameSamples = countOf(values["frame-samples"]);
  const cases = countOf(values.cases);
  for (const [option, count] of Object.entries({ "frame-samples": frameSamples, cases })) {
    if (Number.isNaN(count)) {
      return { refusal: `bench: --${option} ${values[option]}: give a whole number above 0` };
    }
  }
  const [dataFolder] = listOf(values.data);
  const parts = listOf(values.parts)[0]?.split(",");
  const options = { dataFolder, rels: rels.map(Number), frameSamples, cases, parts, isQuick: values.quick === true };
  return { request: { name, entry, ...options, asJson: values.json === true, isKept: values.write === true } };
}

/** What is wrong with one option for this benchmark. */
function faultOf(
  token: {
    readonly name: string;
    readonly rawName: string;
    readonly value?: string | undefined;
    readonly inlineValue?: boolean | undefined;
  },
  name: string,
  entry: BenchEntry,
): string | undefined {
  const takes = `${name} takes: ${namesOf(entry).join(", ")}`;
  if (!isOption(token.name)) return `unknown option ${token.rawName}; ${takes}`;
  const isSwitch = OPTIONS[token.name].type === "boolean";
  if (!(token.name in COMMON || token.name in entry.takes)) return `${name} does not take ${token.rawName}; ${takes}`;
  if (isSwitch) return token.value === undefined ? undefined : `${token.rawName} takes no value`;
  const isMissing =
    token.value === undefined || token.value === "" || (!token.inlineValue && token.value.startsWith("-"));
  return isMissing ? `${token.rawName} needs a value; ${takes}` : undefined;
}

function isOption(name: string): name is keyof typeof OPTIONS {
  return Object.hasOwn(OPTIONS, name);
}

/** The values of an option that has some; a switch among them was refused before. */
function listOf(value: string | boolean | undefined | readonly (string | boolean)[]): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string");
}

/** @returns NaN for what is no whole number above 0 */
function countOf(value: string | boolean | undefined | readonly (string | boolean)[]): number | undefined {
  const [given] = listOf(value);
  if (given === undefined) return undefined;
  const count = Number(given);
  return Number.isSafeInteger(count) && count > 0 ? count : Number.NaN;
}

function takenBy(entry: BenchEntry): (readonly [string, string])[] {
  const own = OWN.flatMap((option) => {
    const [value, meaning] = entry.takes[option] ?? [];
    return value === undefined || meaning === undefined ? [] : [[`--${option} ${value}`.trimEnd(), meaning] as const];
  });
  return [...own, ...Object.entries(COMMON).map(([option, meaning]) => [`--${option}`, meaning] as const)];
}

function namesOf(entry: BenchEntry): string[] {
  return takenBy(entry).map(([option]) => option);
}

function helpOfAll(): string {
  return lines([
    `Usage: ${COMMAND} NAME [options]`,
    "",
    "Ours beside its peers, in one run. Exit code 1: a goal was missed; 2: it could not be run; 130: stopped.",
    "",
    ...columns([...BENCHES].map(([name, { measures }]) => [name, measures])),
    "",
    `Options of one: ${COMMAND} NAME --help`,
    `Example: ${COMMAND} ${BENCHES.get("codec")?.example ?? ""}`,
  ]);
}

function helpOf(name: string, entry: BenchEntry): string {
  return lines([
    `Usage: ${COMMAND} ${name} [options]`,
    "",
    entry.measures,
    "",
    ...columns(takenBy(entry)),
    "",
    `Example: ${COMMAND} ${entry.example}`,
  ]);
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`);
}

function lines(all: readonly string[]): string {
  return all.join("\n");
}
