import type { InputStream } from "../surroundings.ts";

/** What a key asks for. */
export type DemoKey = "quit" | "pause" | "sort" | "help" | "up" | "down" | "cut";

const KEYS: Readonly<Record<string, DemoKey>> = {
  q: "quit",
  "\u0003": "quit",
  p: "pause",
  s: "sort",
  "?": "help",
  "\u001b[A": "up",
  "\u001bOA": "up",
  k: "up",
  "\u001b[B": "down",
  "\u001bOB": "down",
  j: "down",
  c: "cut",
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: arrow keys arrive as escape sequences
const KEY_SEQUENCES = /\u001b[[O][A-Z]|[\s\S]/gu;

/**
 * The keys in what a terminal sent: several may arrive at once, unknown ones are left out.
 */
export function parseKeys(input: string): DemoKey[] {
  return [...input.matchAll(KEY_SEQUENCES)].map(([key]) => KEYS[key]).filter((key) => key !== undefined);
}

/**
 * Listen to the keyboard, if there is one.
 *
 * @returns a function that gives it back as it was
 */
export function listenToKeys(stdin: InputStream, onKey: (key: DemoKey) => void): () => void {
  if (stdin.isTTY !== true) return () => {};
  const onData = (chunk: Buffer | string): void => {
    for (const key of parseKeys(chunk.toString())) onKey(key);
  };
  stdin.setRawMode?.(true);
  stdin.on("data", onData);
  stdin.resume();
  return () => {
    stdin.off("data", onData);
    stdin.setRawMode?.(false);
    stdin.pause();
  };
}
