import { expect, test } from "vitest";
import { capabilityOf } from "./capabilities.ts";
import { benchmarkOf, CATEGORIES, isHeldOut } from "./capability.ts";
import { takeExamples } from "./example-pool.ts";
import { questionWriter } from "./question-writer.ts";

const ASKED = 60;

test.each(CATEGORIES)("%s: no test's question is ever taught, and each is asked once", (category) => {
  const capability = capabilityOf(category);
  const asked = benchmarkOf(capability, ASKED);
  expect(asked).toHaveLength(ASKED);
  expect(new Set(asked.map(({ prompt }) => prompt)).size).toBe(ASKED);
  expect(asked.every(isHeldOut)).toBe(true);
  const taught = new Set(takeExamples(capability, 2000, 1).map(({ prompt }) => prompt));
  expect(asked.filter(({ prompt }) => taught.has(prompt))).toEqual([]);
});

test.each(CATEGORIES)("%s: a question has one right answer, and all of it has tokens", (category) => {
  const writer = questionWriter(96);
  const answers = new Map<string, string>();
  for (const { prompt, answer } of takeExamples(capabilityOf(category), 500, 2)) {
    expect(answers.get(prompt) ?? answer).toBe(answer);
    answers.set(prompt, answer);
    expect(writer.tokenizer.decode(writer.tokenizer.encode(answer))).toBe(answer);
  }
  expect(answers.size).toBeGreaterThan(100);
});

test("arithmetic is right", () => {
  for (const { prompt, answer } of takeExamples(capabilityOf("arithmetic"), 200, 3)) {
    const [, a, sign, b] = /^(\d+)([+-])(\d+)$/.exec(prompt) ?? [];
    expect(Number(answer)).toBe(Number(a) + (sign === "+" ? 1 : -1) * Number(b));
  }
});

test("a question's brackets and its answer's are balanced together, and were not before", () => {
  const PAIRS = ["()", "[]", "{}"];
  const onlyBrackets = (text: string) => text.replaceAll(/[^()[\]{}]/g, "");
  const reduced = (text: string): string => {
    const shorter = PAIRS.reduce((rest, pair) => rest.replaceAll(pair, ""), text);
    return shorter === text ? text : reduced(shorter);
  };
  const brackets = takeExamples(capabilityOf("code"), 300, 4).filter(({ prompt }) => !prompt.startsWith("py "));
  expect(brackets.length).toBeGreaterThan(100);
  for (const { prompt, answer } of brackets) {
    expect(reduced(onlyBrackets(prompt) + answer)).toBe("");
    expect(answer).not.toBe("");
  }
});

test("dates and names say the same in another form", () => {
  for (const { prompt, answer } of takeExamples(capabilityOf("formats"), 300, 5)) {
    const [kind = "", ...rest] = prompt.split(" ");
    const given = rest.join(" ");
    if (kind === "date") expect(new Date(`${answer} UTC`).toISOString().slice(0, 10)).toBe(given);
    else expect(answer.replaceAll(/[-_]/g, "").toLowerCase()).toBe(given.replaceAll(/[ _]/g, "").toLowerCase());
  }
});

test("every fact that a test asks for was taught, in other words", () => {
  const taught = takeExamples(capabilityOf("facts"), 4000, 6);
  for (const { prompt, answer } of benchmarkOf(capabilityOf("facts"), ASKED)) {
    const country = /[A-Z][a-z]+$/.exec(prompt)?.[0] ?? "";
    expect(taught.some((known) => known.answer === answer && known.prompt.includes(country))).toBe(true);
  }
});

test("a signal is a token for each sample, and its levels lie in its window", () => {
  const writer = questionWriter(96);
  for (const { prompt } of takeExamples(capabilityOf("signal"), 50, 7)) {
    expect(writer.tokenizer.encode(prompt)).toHaveLength(24);
  }
});
