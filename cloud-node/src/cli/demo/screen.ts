import type { OutputStream } from "../surroundings.ts";

const ENTER_ALTERNATE = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE_ALTERNATE = "\u001b[?25h\u001b[?1049l";
const BEGIN_UPDATE = "\u001b[?2026h";
const END_UPDATE = "\u001b[?2026l";

/**
 * The alternate screen of a terminal, of which only changed rows are written, each time in one go.
 *
 * Whatever way the process ends, `leave` must run: the caller registers it with the process's exit as well.
 */
export class Screen {
  readonly #stream: OutputStream;
  #rows: readonly string[] = [];
  #isOpen = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  enter(): void {
    this.#isOpen = true;
    this.#stream.write(ENTER_ALTERNATE);
  }

  /** Show these lines, and nothing below them. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const count = Math.max(lines.length, this.#rows.length);
    let text = "";
    for (let row = 0; row < count; row++) {
      const line = lines[row] ?? "";
      if (line !== this.#rows[row]) text += `\u001b[${row + 1};1H${line}\u001b[K`;
    }
    this.#rows = [...lines];
    if (text !== "") this.#stream.write(`${BEGIN_UPDATE}${text}${END_UPDATE}`);
  }

  /** Forget what is on the screen: after the terminal changed its size. */
  invalidate(): void {
    this.#rows = [];
    if (this.#isOpen) this.#stream.write("\u001b[2J");
  }

  /** Back to what was there before; does nothing the second time. */
  leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stream.write(LEAVE_ALTERNATE);
  }
}
