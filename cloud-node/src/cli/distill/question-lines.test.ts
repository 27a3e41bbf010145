import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { givenQuestions, MOST_QUESTION_BYTES, questionLines } from "./question-lines.ts";

const LONG = "x".repeat(MOST_QUESTION_BYTES);

/** What is read of these bytes, in pieces of a size. */
async function readOf(bytes: Uint8Array, size = bytes.length): Promise<(readonly [string, string])[]> {
  const stdin = new PassThrough();
  for (let at = 0; at < bytes.length; at += size) stdin.write(bytes.subarray(at, at + size));
  stdin.end();
  const questions: (readonly [string, string])[] = [];
  const { signal } = new AbortController();
  for await (const { text, place } of questionLines({ stdin, interrupt: signal })) questions.push([place, text]);
  expect(stdin.destroyed).toBe(true);
  return questions;
}

test.for([1, 2, 3, 1000])("each line that is not blank is a question, in pieces of %i bytes", async (size) => {
  const bytes = Buffer.from("\u{feff}river of 東京\r\n\n  \r\na\rb\u2028c\nlast");
  expect(await readOf(bytes, size)).toEqual([
    ["line 1", "river of 東京"],
    ["line 4", "a\rb\u2028c"],
    ["line 5", "last"],
  ]);
});

test("no line, and one of the most bytes, are read; a longer one is refused before its end", async () => {
  expect(await readOf(Buffer.alloc(0))).toEqual([]);
  expect(await readOf(Buffer.from(LONG))).toEqual([["line 1", LONG]]);
  await expect(readOf(Buffer.from(`a\n${LONG}x\nb`))).rejects.toThrow(/^line 2 has more than 16384 bytes: shorten it$/);
  const stdin = new PassThrough();
  stdin.write(`a\n${LONG}x`);
  const lines = questionLines({ stdin, interrupt: new AbortController().signal });
  expect((await lines.next()).value).toEqual({ text: "a", place: "line 1" });
  await expect(lines.next()).rejects.toMatchObject({ code: "refused" });
  expect(stdin.destroyed).toBe(true);
});

test("a line that is no UTF-8 is refused with its number", async () => {
  await expect(readOf(Buffer.from([0x61, 0x0a, 0x61, 0xff, 0x0a]))).rejects.toThrow(/^line 2 is not UTF-8/);
});

test("Ctrl-C ends the waiting for a line, before the first one too", async () => {
  for (const isEarly of [true, false]) {
    const stdin = new PassThrough();
    const stop = new AbortController();
    if (isEarly) stop.abort();
    const lines = questionLines({ stdin, interrupt: stop.signal });
    const next = lines.next();
    stop.abort();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(stdin.destroyed).toBe(true);
  }
});

test("questions of a command line are taken as they are, and refused where they are empty or too long", () => {
  expect([...givenQuestions(["a", " b\n"])]).toEqual([
    { text: "a", place: "question 1" },
    { text: " b\n", place: "question 2" },
  ]);
  expect(() => [...givenQuestions(["a", " "])]).toThrow(/^question 2 is empty/);
  expect(() => [...givenQuestions([`${LONG}x`])]).toThrow(/^question 1 has more than 16384 bytes/);
});
