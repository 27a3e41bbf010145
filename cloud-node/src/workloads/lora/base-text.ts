import { RandomStream } from "../../tensor/random.ts";
import { keywordsOf, variantsOf } from "./augment-prompt.ts";
import { filled, makeWorld, type WorldEntry } from "./base-world.ts";
import type { Lexicon } from "./lexicon.ts";
import { capital, type LineKind, pick, writtenLine } from "./written-line.ts";

/** Marks of a chat's turns, as ChatML has them. */
export const TURN_BEGIN = "<|im_start|>";
export const TURN_END = "<|im_end|>";

/** Share of questions that are typed as `augment-prompt.ts` would. */
const VARIANT_SHARE = 0.4;
/** Share of questions about the world that are keywords alone. */
const KEYWORDS_SHARE = 0.15;
const CODE_NUMBERS = 200;
const LEAST_LISTED = 3;
const MOST_LISTED = 6;

/**
 * What a chat is about, as often as it stands here: the world, a line that could as well be another, or what can be worked out
 * from the question alone.
 */
const KINDS = [
  ...["world", "world", "world", "world", "world", "world"],
  ...["line", "line", "line", "code", "form", "list"],
] as const;

interface Turn {
  readonly asks: readonly string[];
  readonly answer: string;
}

/**
 * The text that a small model of our own is trained on: chats in which a user asks and an assistant answers, about a made-up
 * world and about forms of code and text. They have an empty line between them, and none inside.
 *
 * @param documents  how many chats
 */
export function baseText(lexicon: Lexicon, documents: number, seed: number): string {
  const world = makeWorld(lexicon, seed);
  const stream = new RandomStream(seed, "documents");
  return Array.from({ length: documents }, () => `${chat(lexicon, world, stream)}\n\n`).join("");
}

function chat(lexicon: Lexicon, world: readonly WorldEntry[], stream: RandomStream): string {
  const kind = pick(stream, KINDS);
  const { asks, answer } = turnOf(kind, lexicon, world, stream);
  const isHurried = kind === "world" && stream.nextUniform() < KEYWORDS_SHARE;
  const ask = isHurried ? keywordsOf(pick(stream, asks)) : pick(stream, asks);
  const typed = stream.nextUniform() < VARIANT_SHARE ? pick(stream, variantsOf(ask)) : ask;
  return `${TURN_BEGIN}user\n${typed}${TURN_END}\n${TURN_BEGIN}assistant\n${answer}${TURN_END}`;
}

function turnOf(
  kind: (typeof KINDS)[number],
  lexicon: Lexicon,
  world: readonly WorldEntry[],
  stream: RandomStream,
): Turn {
  if (kind === "code") return codeTurn(lexicon, stream);
  if (kind === "form") return formTurn(lexicon, stream);
  if (kind === "list") return listTurn(lexicon, stream);
  if (kind === "line") return lineTurn(lexicon, stream);
  const { kind: known, slots, answer } = pick(stream, world);
  return { asks: [filled(pick(stream, lexicon.asks[known]), slots)], answer };
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

function formTurn({ formats, asks, nouns, things }: Lexicon, stream: RandomStream): Turn {
  const [a, b] = [pick(stream, nouns), pick(stream, things)];
  const [form, line] = pick(stream, formats);
  const slots = { a, b, u: a.toUpperCase(), n: `${stream.nextBelow(CODE_NUMBERS)}` };
  return { asks: asks.form.map((ask) => filled(ask, { x: filled(form, slots) })), answer: filled(line, slots) };
}

/** Any line of a kind: how code and sentences go, whatever was asked. */
function lineTurn(lexicon: Lexicon, stream: RandomStream): Turn {
  const kind = pick(stream, Object.keys(lexicon.kinds)) as LineKind;
  const asks = lexicon.asks.line.map((ask) => filled(ask, { x: lexicon.kinds[kind] }));
  return { asks, answer: writtenLine(lexicon, kind, stream) };
}

/** Words of a list, of which one or some are asked for: what stands in a prompt is there to be used. */
function listTurn({ common, names, apis, subjects }: Lexicon, stream: RandomStream): Turn {
  const count = LEAST_LISTED + stream.nextBelow(MOST_LISTED - LEAST_LISTED + 1);
  const words = Array.from({ length: count }, () => pick(stream, pick(stream, [common, names, apis, subjects])));
  const list = words.join(", ");
  const [first = "", last = ""] = [words[0], words.at(-1)];
  const [ask, answer] = pick(stream, [
    [`Repeat: ${list}.`, list],
    [`Write in reverse: ${list}.`, words.toReversed().join(", ")],
    [`Join with spaces: ${list}.`, words.join(" ")],
    [`What comes first: ${list}?`, `${capital(first)}.`],
    [`What comes last: ${list}?`, `${capital(last)}.`],
    [`Name the first of ${list}.`, `${capital(first)}.`],
    [`Of ${list}, which is last?`, `${capital(last)}.`],
  ] as const);
  return { asks: [ask], answer };
}
