import { expect, test } from "vitest";
import type { HistoryRow } from "../fleet/history-check.ts";
import { rotorTwinSignal } from "../signals/rotor-twin.ts";
import { checkFirmwareHistory, type FirmwareTruth } from "./firmware-history.ts";
import type { EpochAccount } from "./line-account.ts";

const FRAME = 10;
const START_US = 1_700_000_000_000_000;
const signal = rotorTwinSignal(100);

/** Rows as a perfect store gives them: samples `from` … `to` of a boot, that are the epoch's from `index` on. */
function rowsOf(from: number, to: number, { epoch = 1, index = from, startUs = START_US } = {}): HistoryRow[] {
  const reader = signal.read();
  const out = new Float64Array(signal.channels.length);
  const rows: HistoryRow[] = [];
  for (let sample = 0; sample < to; sample += 1) {
    reader.next(out);
    const row = { epoch, index: index + sample - from, timeUs: startUs + sample * 10_000 };
    if (sample >= from) rows.push({ ...row, values: out.slice(), statuses: new Uint8Array(out.length) });
  }
  return rows;
}

function account(seqs: readonly number[], confirmed: number, evicted: readonly number[] = []): EpochAccount {
  return { sent: new Map(seqs.map((seq) => [seq, FRAME])), confirmed, evicted: new Set(evicted) };
}

const upTo = (frames: number) => Array.from({ length: frames }, (_, seq) => seq);

function check(epochs: readonly EpochAccount[], rows: readonly HistoryRow[], target: readonly number[] = [3]) {
  const truth: FirmwareTruth = {
    ...{ id: "d", signal, eps: 2 ** -10 },
    epochs: new Map(epochs.map((one, i) => [i + 1, one])),
    target: new Map(target.map((frames, i) => [i + 1, frames])),
  };
  return checkFirmwareHistory(truth, rows);
}

const CLEAN = { lostConfirmed: 0, undelivered: 0, lostUnsaved: 0, invented: 0, missingEvicted: 0, wrongStatuses: 0 };

test("a store that holds everything passes, and each kind of damage is found", () => {
  const rows = rowsOf(0, 30);
  const sent = account(upTo(3), 2);
  const [first, second, ...others] = rows;
  if (first === undefined || second === undefined) throw new RangeError("no rows");
  const clean = { ...CLEAN, samples: 30, sent: 30, confirmed: 20, maxErrorOverEps: 0 };
  expect(check([sent], rows)).toMatchObject(clean);
  expect(check([sent], rows.slice(0, 19)).lostConfirmed).toBe(1);
  expect(check([sent], rows.slice(0, 25))).toMatchObject({ ...CLEAN, undelivered: 5 });
  expect(check([sent], rows.slice(0, 25), [])).toMatchObject({ ...CLEAN, lostUnsaved: 5 });
  expect(check([sent], [first, ...others])).toMatchObject({ lostConfirmed: 1, missingEvicted: 1 });
  expect(check([sent], [first, first, second, ...others]).invented).toBe(1);
  expect(check([sent], rowsOf(0, 31)).invented).toBe(1);
  expect(check([sent], [{ ...first, statuses: [1, 0, 0, 0, 0, 0] }, second, ...others]).wrongStatuses).toBe(1);
  const bent = { ...second, values: [...Array.from(second.values).slice(0, 5), 0] };
  expect(check([sent], [first, bent, ...others]).maxErrorOverEps).toBeGreaterThan(100);
});

test("samples that are those of another time, or of no time, are not the firmware's", () => {
  const rows = rowsOf(0, 30);
  const late = rows.map((row, i) => ({ ...row, timeUs: row.timeUs + (i < 15 ? 0 : 10_000) }));
  expect(check([account(upTo(3), 3)], late).maxErrorOverEps).toBeGreaterThan(1);
  const shifted = rowsOf(1, 31, { index: 0 });
  expect(check([account(upTo(3), 3)], shifted).maxErrorOverEps).toBeGreaterThan(1);
});

test("boots that share an epoch each start with their first sample", () => {
  const rows = [...rowsOf(0, 20), ...rowsOf(0, 10, { index: 20, startUs: START_US + 5_000_123 })];
  expect(check([account(upTo(3), 3)], rows)).toMatchObject({ ...CLEAN, samples: 30, maxErrorOverEps: 0 });
});

test("what a full ring dropped is missing, and not lost", () => {
  const dropped = account(upTo(3), 3, [0, 1]);
  const verdict = check([dropped], rowsOf(20, 30));
  expect(verdict).toMatchObject({ ...CLEAN, missingEvicted: 20, confirmed: 10, samples: 10, maxErrorOverEps: 0 });
});

test("what was dropped before it was sent shifts nothing that came after", () => {
  const unsent = account([0, 2, 3], 3);
  const rows = [...rowsOf(0, 10), ...rowsOf(20, 40)];
  expect(check([unsent], rows, [4])).toMatchObject({ ...CLEAN, missingEvicted: 10, sent: 30, confirmed: 20 });
  expect(check([unsent], rows.slice(0, -11), [4])).toMatchObject({ lostConfirmed: 1, undelivered: 10 });
});

test("an epoch of which the store has nothing is missing as a whole", () => {
  const second = rowsOf(0, 10, { epoch: 2 });
  const verdict = check([account(upTo(2), 1), account(upTo(1), 1)], second, [2, 1]);
  expect(verdict).toMatchObject({ samples: 10, confirmed: 20, lostConfirmed: 10, undelivered: 10 });
});
