import { expect, test } from "vitest";
import { FlashError } from "../flash/flash-error.ts";
import type { RolloutRecord } from "../flash/update-record.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { UpdateFeed } from "./update-feed.ts";

const ID = "0123456789abcdef";
const RECORD: RolloutRecord = {
  ...{ format: 1, id: ID, createdUs: 1, endedUs: null, state: "running", version: "1.0.0", model: "m" },
  ...{ form: "module", target: "module", keyId: "k", packages: "p", stages: [100], maxFailures: 0, devices: [] },
};

test("an update that is forgotten while its reader is slow ends the reader's feed, and nothing else", () => {
  const clock = new ManualClock();
  let isKnown = true;
  const updates = {
    get(id: string): RolloutRecord {
      if (!isKnown) throw new FlashError("unknown-update", id, "");
      return RECORD;
    },
    onChange: () => () => {},
  };
  const sent: string[] = [];
  let ends = 0;
  const stream = { isReady: false, send: (event: string) => sent.push(event), end: () => (ends += 1) };
  new UpdateFeed({ updates, clock, stream, id: ID });
  clock.advance(1_000);
  expect([sent, ends]).toEqual([[], 0]);
  isKnown = false;
  stream.isReady = true;
  clock.advance(200);
  expect([sent, ends]).toEqual([[], 1]);
  clock.advance(60_000);
  expect([sent, ends]).toEqual([[], 1]);
});

test("any other failure of a read is not taken for an update that is forgotten", () => {
  const updates = {
    get: () => {
      throw new RangeError("a mistake");
    },
    onChange: () => () => {},
  };
  const stream = { isReady: true, send: () => {}, end: () => {} };
  expect(() => new UpdateFeed({ updates, clock: new ManualClock(), stream, id: ID })).toThrow("a mistake");
});
