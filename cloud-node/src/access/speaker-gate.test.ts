import { expect, test } from "vitest";
import { SpeakerGate, type Speakers } from "./speaker-gate.ts";

const BOOK: Speakers = {
  isOpen: false,
  grantOf: (id) => (id === "pump" || id === "planner" ? id : undefined),
  mayUseJobs: (id) => id === "planner",
};

test("jobs are for those whom the book lets, by a name that somebody made sure of", () => {
  const gate = new SpeakerGate(BOOK, undefined);
  expect(gate.mayUseJobs("planner", true)).toBe(true);
  expect(gate.mayUseJobs("planner", false)).toBe(false);
  expect(gate.mayUseJobs("pump", true)).toBe(false);
  expect(gate.mayUseJobs(undefined, true)).toBe(false);
  expect([gate.admits("pump", true), gate.admits("pump", false), gate.admits("ghost", true)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("while the book is open, everybody may speak, and use jobs", () => {
  const gate = new SpeakerGate({ ...BOOK, isOpen: true }, undefined);
  expect([gate.mayUseJobs(undefined, false), gate.admits("ghost", false)]).toEqual([true, true]);
});
