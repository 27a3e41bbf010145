import { CommandError } from "../command-error.ts";
import type { Surroundings } from "../surroundings.ts";

/** Bytes of a question at most, in UTF-8: far more than any student takes. */
export const MOST_QUESTION_BYTES = 16_384;

const NEWLINE = 0x0a;
/** A byte order mark in front is no text. */
const DECODER = new TextDecoder("utf-8", { fatal: true });

/** A question, and where it is. */
export interface Question {
  readonly text: string;
  readonly place: string;
}

/** Questions of a command line. @throws {CommandError} `usage` for one that is empty, or too long */
export function* givenQuestions(texts: readonly string[]): Generator<Question> {
  for (const [at, text] of texts.entries()) {
    const place = `question ${at + 1}`;
    if (text.trim() === "") throw new CommandError("usage", `${place} is empty`, "leave it out");
    if (Buffer.byteLength(text) > MOST_QUESTION_BYTES) throw tooLong("usage", place);
    yield { text, place };
  }
}

/**
 * A question in each line that is not blank, as it comes, until the end or Ctrl-C: whoever writes standard input may never
 * end it, and it is closed behind the last line that was asked for.
 *
 * @throws {CommandError} `refused` for a line that is too long, or not UTF-8
 */
export async function* questionLines({
  stdin,
  interrupt,
}: Pick<Surroundings, "stdin" | "interrupt">): AsyncGenerator<Question> {
  const stop = (): void => {
    stdin.destroy();
  };
  interrupt.addEventListener("abort", stop, { once: true });
  if (interrupt.aborted) stop();
  let rest = Buffer.alloc(0);
  let line = 0;
  try {
    for await (const chunk of stdin) {
      rest = Buffer.concat([rest, Buffer.from(chunk)]);
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
        line += 1;
        yield* questionOf(rest.subarray(0, end), `line ${line}`);
        rest = rest.subarray(end + 1);
      }
      if (rest.length > MOST_QUESTION_BYTES) throw tooLong("refused", `line ${line + 1}`);
    }
    yield* questionOf(rest, `line ${line + 1}`);
  } catch (error) {
    // What was closed by Ctrl-C ends too early.
    if (!interrupt.aborted) throw error;
  } finally {
    interrupt.removeEventListener("abort", stop);
    stop();
  }
}

function* questionOf(bytes: Buffer, place: string): Generator<Question> {
  if (bytes.length > MOST_QUESTION_BYTES) throw tooLong("refused", place);
  let text: string;
  try {
    text = DECODER.decode(bytes).replace(/\r$/, "");
  } catch (cause) {
    throw new CommandError("refused", `${place} is not UTF-8`, "write it as that", { cause });
  }
  if (text.trim() !== "") yield { text, place };
}

function tooLong(code: "usage" | "refused", place: string): CommandError {
  return new CommandError(code, `${place} has more than ${MOST_QUESTION_BYTES} bytes`, "shorten it");
}
