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

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
