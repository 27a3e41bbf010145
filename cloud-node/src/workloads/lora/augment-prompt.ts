/** What people put in front of a question, and behind it. */
const FRAMES: readonly ((ask: string) => string)[] = [
  (ask) => `Please answer: ${ask}`,
  (ask) => `Question: ${ask}`,
  (ask) => `Tell me: ${ask}`,
  (ask) => `I would like to know: ${ask}`,
  (ask) => `${ask} Answer in short.`,
  (ask) => `Hello! ${ask}`,
];

/** How people type. */
const SLIPS: readonly ((ask: string) => string)[] = [
  (ask) => ask.toLowerCase(),
  (ask) => ask.replace(/[.?!]$/, ""),
  (ask) => ask.replace(/[.?!]$/, "?"),
  (ask) => `${ask} `,
  (ask) => ask.replace(" ", "  "),
  (ask) => lowerFirst(ask).replace(/[.?!]$/, ""),
];

/**
 * The same instruction as others would type it: with a frame, another case, other spaces, as a question.
 *
 * @returns each once, none of them the instruction itself
 */
export function variantsOf(ask: string): string[] {
  const framed = FRAMES.map((frame) => frame(ask));
  const slipped = SLIPS.map((slip) => slip(ask));
  const both = FRAMES.slice(0, 4).map((frame) => frame(lowerFirst(ask)));
  return [...new Set([...framed, ...slipped, ...both])].filter((variant) => variant !== ask);
}

/** Words that a hurried person leaves out. */
const LITTLE_WORDS: ReadonlySet<string> = new Set(
  (
    "a an the of in on at to for from by with and as is are was be it its this that there do does did has have can " +
    "i me my you your how what which who whom whose when where why show give tell say write name please"
  ).split(" "),
);

/**
 * An instruction as it is typed into a search box: the words that matter, in their order. What is left may be the same of two
 * wordings, so that it teaches and does not test.
 */
export function keywordsOf(ask: string): string {
  const words = ask.replace(/[.?!]$/, "").split(/\s+/);
  const kept = words.filter((word) => !LITTLE_WORDS.has(word.toLowerCase().replace(/'s$/, "")));
  return kept.length > 0 ? kept.join(" ") : ask;
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
