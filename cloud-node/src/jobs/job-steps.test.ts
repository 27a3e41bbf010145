import { expect, test } from "vitest";
import { type JobRecord, newRecord } from "./job-record.ts";
import { begunAnew, DEFAULT_PACE, MOST_GIVEN_BACK, MOST_SHORT, stepped, taken } from "./job-steps.ts";
import { SHA, spec } from "./queue-rig.suite.ts";

const AWAY = { code: "queue-away", message: "one bad sector" } as const;
const SHORT = { code: "peer-left", message: "nobody took its places" } as const;

/** Take a job as soon as it is due, and give it back because something is away. */
function givenBack(record: JobRecord, away: typeof AWAY | typeof SHORT = AWAY): JobRecord {
  const held = taken(record, "w", record.dueMs, DEFAULT_PACE);
  const back = stepped(held, held.turn, { kind: "release", away }, record.dueMs, DEFAULT_PACE);
  if (back === undefined) expect.fail("the lease is lost");
  // Asked for again where the answer was lost.
  expect(stepped(back, held.turn, { kind: "release", away }, record.dueMs, DEFAULT_PACE)).toBe(back);
  return back;
}

/** Let a job leave a checkpoint, then give it back. */
function furtherAndBack(record: JobRecord, sha256: string): JobRecord {
  const held = taken(record, "w", record.dueMs, DEFAULT_PACE);
  const step = { kind: "checkpoint", ref: { sha256, bytes: 1 } } as const;
  const further = stepped(held, held.turn, step, record.dueMs, DEFAULT_PACE);
  if (further === undefined) expect.fail("the lease is lost");
  const back = stepped(further, held.turn, { kind: "release", away: AWAY }, record.dueMs, DEFAULT_PACE);
  return back ?? expect.fail("the lease is lost");
}

test("what is away for ever ends a job, which says what it was", () => {
  let record = newRecord(spec(), SHA, 0, 2);
  const pauses: number[] = [];
  for (let i = 0; i < MOST_GIVEN_BACK; i++) {
    const next = givenBack(record);
    expect(next).toMatchObject({ state: "queued", attempts: 0, error: null });
    pauses.push(next.dueMs - record.dueMs);
    record = next;
  }
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(pauses.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  // Short, as it may be back any moment; and it is waited for a quarter of an hour all the same.
  expect(pauses.at(-1)).toBe(10_000);
  expect(pauses.reduce((sum, ms) => sum + ms)).toBeGreaterThan(14 * 60_000);
  record = givenBack(record);
  expect(record).toMatchObject({ state: "queued", attempts: 1, error: AWAY });
  record = givenBack(record);
  expect(record).toMatchObject({ state: "dead", attempts: 2, error: AWAY });
  expect(givenBack(begunAnew(record, record.dueMs))).toMatchObject({ state: "queued", attempts: 0 });
});

test("places that nobody takes end a job sooner, and begin to count anew with it", () => {
  let record = newRecord(spec(), SHA, 0, 1);
  for (let i = 0; i < MOST_SHORT; i++) {
    record = givenBack(record, SHORT);
    expect(record).toMatchObject({ state: "queued", attempts: 0, error: null });
  }
  record = givenBack(record, SHORT);
  expect(record).toMatchObject({ state: "dead", attempts: 1, error: SHORT });
  expect(givenBack(begunAnew(record, record.dueMs), SHORT)).toMatchObject({ state: "queued", attempts: 0 });
});

test("a job that got further meanwhile is given back as often again, one that leaves the same again is not", () => {
  let record = newRecord(spec(), SHA, 0, 1);
  for (let i = 0; i < MOST_GIVEN_BACK; i++) record = givenBack(record);
  record = furtherAndBack(record, SHA);
  expect(record).toMatchObject({ state: "queued", attempts: 0, error: null });
  for (let i = 1; i < MOST_GIVEN_BACK; i++) record = furtherAndBack(record, SHA);
  expect(record).toMatchObject({ state: "queued", attempts: 0, error: null });
  expect(furtherAndBack(record, SHA)).toMatchObject({ state: "dead", attempts: 1, error: AWAY });
});
