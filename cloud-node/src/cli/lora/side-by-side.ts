/** Columns of a terminal that nobody made wider. */
const WIDTH = 80;
const GAP = " | ";
const COLUMN = Math.floor((WIDTH - GAP.length) / 2);
const GREEN = "\u001b[32m";
const RED = "\u001b[31m";
const BOLD = "\u001b[1m";
const PLAIN = "\u001b[0m";

/** An answer as it is shown. */
export interface ShownAnswer {
  readonly text: string;
  /** Undefined where nobody knows the right one. */
  readonly isRight: boolean | undefined;
}

/** A prompt with two answers, in two columns of 80 together; what is right is green, what is wrong red. */
export function sideBySide(prompt: string, left: ShownAnswer, right: ShownAnswer, hasColor: boolean): string {
  const columns = [left, right].map(({ text, isRight }) => {
    const mark = isRight === undefined ? "" : isRight ? "+ " : "- ";
    return {
      lines: wrapped(`${mark}${printable(text)}`, COLUMN),
      colour: isRight === undefined ? "" : isRight ? GREEN : RED,
    };
  });
  const height = Math.max(...columns.map(({ lines }) => lines.length));
  const rows = Array.from({ length: height }, (_, at) =>
    columns
      .map(({ lines, colour }) => painted((lines[at] ?? "").padEnd(COLUMN), hasColor ? colour : ""))
      .join(GAP)
      .trimEnd(),
  );
  return [...wrapped(printable(prompt), WIDTH).map((line) => painted(line, hasColor ? BOLD : "")), ...rows].join("\n");
}

/** Names of the columns, and a line under them. */
export function columnHeads(left: string, right: string): string {
  return [`${left.padEnd(COLUMN)}${GAP}${right}`, "-".repeat(WIDTH)].join("\n");
}

/** What a model writes may hold anything: nothing of it steers the terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) => (character === "\n" ? "\n" : "\ufffd"));
}

function wrapped(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const space = rest.lastIndexOf(" ", width);
      // A word that is longer than half a line is cut, and not left to a line of its own.
      const cut = space > width / 2 ? space : width;
      lines.push(rest.slice(0, cut));
      rest = rest.slice(cut).trimStart();
    }
    return [...lines, rest];
  });
}

function painted(text: string, colour: string): string {
  return colour === "" ? text : `${colour}${text}${PLAIN}`;
}
