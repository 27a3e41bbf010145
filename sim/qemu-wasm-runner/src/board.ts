import { RunnerError } from "./runner-error.ts";

/** A place where a module can run. */
export interface Board {
  readonly name: BoardName;
  /** What it is, in a line. */
  readonly summary: string;
  /** Tools it needs, names in the table of `doctor`. */
  readonly tools: readonly ToolName[];
}

/** Boards there are. */
export type BoardName = "host" | "node";

/** Programs that a board may need. */
export type ToolName = "c-compiler";

/** Every board, by name. */
export const BOARDS: readonly Board[] = [
  { name: "host", summary: "this machine: the module as C, compiled by its compiler", tools: ["c-compiler"] },
  { name: "node", summary: "the WebAssembly of Node itself: needs nothing, builds nothing", tools: [] },
];

/**
 * The board of this name.
 *
 * @throws {RunnerError} `unknown-board`, naming those that there are
 */
export function findBoard(name: string): Board {
  const found = BOARDS.find((board) => board.name === name);
  if (found === undefined) {
    throw new RunnerError("unknown-board", { board: `"${name}"`, known: BOARDS.map((board) => board.name).join(" ") });
  }
  return found;
}
