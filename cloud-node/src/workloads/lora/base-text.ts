import { RandomStream } from "../../tensor/random.ts";
import { variantsOf } from "./augment-prompt.ts";
import { type BaseWorld, capital, makeWorld, pick, sentence } from "./base-world.ts";
import type { Lexicon } from "./lexicon.ts";

/** Marks of a chat's turns, as ChatML has them. */
export const TURN_BEGIN = "<|im_start|>";
export const TURN_END = "<|im_end|>";

/** Share of questions that are typed as `augment-prompt.ts` would. */
const VARIANT_SHARE = 0.4;
const CODE_NUMBERS = 200;

/** What a document is about, as often as it stands here. */
const KINDS = ["fact", "fact", "fact", "saying", "saying", "code", "code", "error", "format", "list", "prose"] as const;

interface Turn {
  readonly asks: readonly string[];
  readonly answer: string;
}

/**
 * The text that a small model of our own is trained on: chats in which a user asks and an assistant answers, about a made-up
 * world, about code and errors, and some prose. Documents have an empty line between them, and none inside.
 *
 * @param documents  how many
 */
export function baseText(lexicon: Lexicon, documents: number, seed: number): string {
  const world = makeWorld(lexicon, seed);
  const stream = new RandomStream(seed, "documents");
  return Array.from({ length: documents }, () => `${document(lexicon, world, stream)}\n\n`).join("");
}

function document(lexicon: Lexicon, world: BaseWorld, stream: RandomStream): string {
  const kind = pick(stream, KINDS);
  if (kind === "prose") {
    return Array.from({ length: 1 + stream.nextBelow(4) }, () => sentence(lexicon, stream)).join(" ");
  }
  const { asks, answer } = turnOf(kind, lexicon, world, stream);
  const ask = pick(stream, asks);
  const typed = stream.nextUniform() < VARIANT_SHARE ? pick(stream, variantsOf(ask)) : ask;
  return `${TURN_BEGIN}user\n${typed}${TURN_END}\n${TURN_BEGIN}assistant\n${answer}${TURN_END}`;
}

function turnOf(
  kind: Exclude<(typeof KINDS)[number], "prose">,
  lexicon: Lexicon,
  world: BaseWorld,
  stream: RandomStream,
): Turn {
  if (kind === "fact") return factTurn(world, stream);
  if (kind === "saying") return sayingTurn(world, stream);
  if (kind === "code") return codeTurn(lexicon, stream);
  if (kind === "error") return errorTurn(lexicon, stream);
  if (kind === "list") return listTurn(lexicon, stream);
  return formatTurn(lexicon, stream);
}

function factTurn({ facts }: BaseWorld, stream: RandomStream): Turn {
  const { attribute, of, value } = pick(stream, facts);
  const asks = [
    `What is the ${attribute} of ${of}?`,
    `Name the ${attribute} of ${of}.`,
    `Which ${attribute} does ${of} have?`,
    `${capital(of)} has which ${attribute}?`,
    `What is ${of}'s ${attribute} called?`,
    `Give the ${attribute} that belongs to ${of}.`,
    `The ${attribute} of ${of} is what?`,
  ];
  return { asks, answer: `${capital(value)}.` };
}

function sayingTurn({ sayings }: BaseWorld, stream: RandomStream): Turn {
  const { key, sentence: answer } = pick(stream, sayings);
  const asks = [
    `What do you do with the ${key}?`,
    `How do I use the ${key}?`,
    `Show how the ${key} is used.`,
    `What fixes the ${key}?`,
    `I get the ${key}. What now?`,
    `In short, explain the ${key}.`,
  ];
  return { asks, answer };
}

function codeTurn({ code, nouns, things, verbs }: Lexicon, stream: RandomStream): Turn {
  const language = pick(stream, Object.keys(code));
  const [task, line] = pick(stream, code[language] ?? []);
  const slots = {
    a: pick(stream, [...nouns, ...verbs]),
    b: pick(stream, [...nouns, ...things]),
    n: `${stream.nextBelow(CODE_NUMBERS)}`,
  };
  const wanted = filled(task, slots);
  const lower = `${wanted.charAt(0).toLowerCase()}${wanted.slice(1)}`;
  const asks = [
    `${wanted} in ${language}.`,
    `How do I ${lower} in ${language}?`,
    `In ${language}, ${lower}.`,
    `Show how to ${lower} in ${language}.`,
  ];
  return { asks, answer: filled(line, slots) };
}

function errorTurn({ errors, problems, nouns, fixes }: Lexicon, stream: RandomStream): Turn {
  const [error, problem, noun] = [pick(stream, errors), pick(stream, problems), pick(stream, nouns)];
  const asks = [
    `${error}: ${noun} is ${problem}.`,
    `What fixes ${error}: ${noun} is ${problem}?`,
    `I get ${noun} is ${problem}. What now?`,
    `${error}: the ${noun} is ${problem}. How do I fix it?`,
  ];
  return { asks, answer: filled(fixes[problem] ?? "", { noun }) };
}

function formatTurn({ formats, nouns, things }: Lexicon, stream: RandomStream): Turn {
  const [a, b] = [pick(stream, nouns), pick(stream, things)];
  const [form, line] = pick(stream, formats);
  const slots = { a, b, A: a.toUpperCase(), n: `${stream.nextBelow(CODE_NUMBERS)}` };
  const wanted = filled(form, slots);
  const asks = [`Write ${wanted}.`, `Give ${wanted}.`, `${capital(wanted)} looks how?`, `How do I write ${wanted}?`];
  return { asks, answer: filled(line, slots) };
}

/** Words of a list, of which one or some are asked for: what stands in a prompt is there to be used. */
function listTurn({ common, names, apis }: Lexicon, stream: RandomStream): Turn {
  const words = Array.from({ length: 3 + stream.nextBelow(4) }, () =>
    pick(stream, pick(stream, [common, common, names, apis])),
  );
  const list = words.join(", ");
  const [ask, answer] = pick(stream, [
    [`Repeat: ${list}.`, list],
    [`What comes first: ${list}?`, words[0] ?? ""],
    [`What comes last: ${list}?`, words.at(-1) ?? ""],
    [`Write in reverse: ${list}.`, words.toReversed().join(", ")],
    [`Join with spaces: ${list}.`, words.join(" ")],
    [`Write with capitals: ${list}.`, words.map(capital).join(", ")],
  ] as const);
  return { asks: [ask], answer };
}

/** A template with words in its slots: `{a}`. */
function filled(template: string, slots: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => slots[name] ?? name);
}
