import { expect, test } from "vitest";
import { batchCore, deviceCore, SEED, SeededNoise, WITH_LINES } from "./codec-signals.suite.ts";
import { PlannedCodec } from "./planned-lines.suite.ts";

/** The last index of a line is 65,535, whoever counts it: protocol/SPEC.md, section 7. */
const LAST_INDEX = 65_535;
const batch = batchCore();
const device = deviceCore();
const planned = await PlannedCodec.compile();
const SETTINGS = [{ e: 8, lattice: 1, historyShift: 0 }];

/** The line of the last channel, whose 14 bytes and the flags' 2 end a state (assembly/layout.ts). */
function lineOf(state: Uint8Array): DataView {
  return new DataView(state.buffer, state.byteOffset + state.length - 16, 16);
}

function indexOf(state: Uint8Array): number {
  return lineOf(state).getUint16(8, true);
}

function isOn(state: Uint8Array): boolean {
  return (lineOf(state).getUint16(12, true) & (1 << 12)) !== 0;
}

/** The same state with its line's next sample at another index. */
function atIndex(state: Uint8Array, index: number): Uint8Array {
  const moved = state.slice();
  lineOf(moved).setUint16(8, index, true);
  return moved;
}

/** A state with an open line along 1000 t, and that line's value at an index. */
function openLine() {
  const encoder = batch.createEncoder(batch.configure(SETTINGS), { lookahead: "programme" });
  for (let at = 0; at < 200; at += 100) encoder.encode(Int32Array.from({ length: 100 }, (_, t) => 1000 * (at + t)));
  const state = encoder.saveState();
  expect(isOn(state)).toBe(true);
  const [from, to] = [lineOf(state).getInt32(0, true), lineOf(state).getInt32(4, true)];
  const span = lineOf(state).getUint16(12, true) & 0x7ff;
  expect(span).toBeGreaterThan(10);
  return { state, valueAt: (index: number) => from + Math.floor((2 * (to - from) * index + span) / (2 * span)) };
}

test("rows that are not sent follow a line to index 65,535 and not a row farther", () => {
  const { state, valueAt } = openLine();
  for (const core of [batch, device]) {
    const decoder = core.createDecoder(core.configure(SETTINGS));
    decoder.restoreState(state);
    const first = indexOf(state);
    const toTheEnd = LAST_INDEX + 1 - first;
    const before = decoder.replayQuiet(toTheEnd - 1);
    expect(indexOf(decoder.saveState())).toBe(LAST_INDEX);
    expect(isOn(decoder.saveState())).toBe(true);
    const last = decoder.replayQuiet(1);
    expect(isOn(decoder.saveState())).toBe(false);
    for (const [i, value] of [...before, ...last].entries()) {
      if (value !== valueAt(first + i)) expect.fail(`index ${first + i}: ${value}, not ${valueAt(first + i)}`);
    }
  }
});

test("a payload may lead an open line to index 65,535, and one that leads it farther is refused", () => {
  const { state } = openLine();
  const config = device.configure(SETTINGS);
  const decoder = device.createDecoder(config);
  for (const rows of [2, 60, 2048]) {
    const last = atIndex(state, LAST_INDEX + 1 - rows);
    // Where its line stands does not change how a payload is written, so these bytes are the ones for both states
    const frame = planned.read(config, last, openPayload(state, rows), rows);
    expect(frame.plan).toEqual([[{ isOnLines: true, openRows: rows, lines: [] }]]);
    const { payload } = planned.write(config, last, frame);
    decoder.restoreState(last);
    expect(decoder.decode(payload, rows, WITH_LINES).samples).toEqual(frame.samples);
    expect(isOn(decoder.saveState())).toBe(false);

    const tooFar = atIndex(state, LAST_INDEX + 2 - rows);
    decoder.restoreState(tooFar);
    expect(() => decoder.decode(payload, rows, WITH_LINES), `${rows} rows`).toThrow(
      expect.objectContaining({ code: "corrupt" }),
    );
    expect(decoder.saveState()).toEqual(tooFar);
    decoder.restoreState(atIndex(state, LAST_INDEX - rows));
    decoder.decode(payload, rows, WITH_LINES);
    expect(isOn(decoder.saveState())).toBe(true);
  }
});

test("of all payloads of one and two bytes, none that is accepted leads a line beyond index 65,535", () => {
  const { state } = openLine();
  const config = device.configure(SETTINGS);
  const decoder = device.createDecoder(config);
  const rows = 3;
  for (const left of [1, 2, 3]) {
    const start = atIndex(state, LAST_INDEX + 1 - left);
    const seen = new Set<number>();
    for (let word = 0; word < 256 + 65_536; word += word < 256 ? 1 : 5) {
      const payload = word < 256 ? Uint8Array.of(word) : Uint8Array.of((word - 256) >> 8, word & 0xff);
      decoder.restoreState(start);
      try {
        decoder.decode(payload, rows, WITH_LINES);
      } catch {
        continue;
      }
      seen.add(planned.read(config, start, payload, rows).plan[0]?.[0]?.openRows ?? 0);
    }
    // 0: the line does not go on
    expect([...seen].sort()).toEqual([0, 1, 2, 3].filter((openRows) => openRows <= left));
  }
});

/** A payload that says of these rows that the open line goes on through all of them. */
function openPayload(state: Uint8Array, rows: number): Uint8Array {
  const config = device.configure(SETTINGS);
  const decoder = device.createDecoder(config);
  decoder.restoreState(state);
  const plan = [[{ isOnLines: true, openRows: rows, lines: [] }]];
  return planned.write(config, state, { samples: decoder.replayQuiet(rows), plan, hash: 0 }).payload;
}

test.for(["greedy", "programme"] as const)(
  "an encoder takes a line to index 65,535 where its signal goes on, and begins another for what follows: lookahead %s",
  (lookahead) => {
    const noise = new SeededNoise(SEED);
    const rows = 100;
    // The first channel keeps the frames from being quiet
    const settings = [{ e: 0, lattice: 1, historyShift: 0 }, ...SETTINGS];
    const encoder = batch.createEncoder(batch.configure(settings), { lookahead });
    const decoder = device.createDecoder(device.configure(settings));
    const frameAt = (first: number) =>
      Int32Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? noise.uint32() % 64 : 1000 * (first + (i >> 1))));
    for (const first of [0, rows]) encoder.encode(frameAt(first));
    const open = encoder.saveState();
    expect(isOn(open)).toBe(true);
    for (const left of [rows + 1, rows, rows - 1, 60, 1]) {
      encoder.restoreState(atIndex(open, LAST_INDEX + 1 - left));
      decoder.restoreState(encoder.saveState());
      // The signal goes on from where the line is at its new index
      const ahead = batch.createDecoder(batch.configure(settings));
      ahead.restoreState(encoder.saveState());
      const onLine = ahead.replayQuiet(1)[1] ?? 0;
      const samples = frameAt(0).map((value, i) => (i % 2 === 0 ? value : onLine + value));
      const coded = encoder.encode(samples);
      expect(coded.hasLines).toBe(true);
      const decoded = decoder.decode(coded.payload, coded.rows, coded).samples;
      const misses = decoded.map((value, i) => Math.abs(value - (samples[i] ?? 0)));
      expect(Math.max(...misses.filter((_, i) => i % 2 === 1))).toBeLessThanOrEqual(8);
      expect(decoder.hash()).toBe(encoder.hash());
      const state = decoder.saveState();
      if (left > rows) expect([isOn(state), indexOf(state)]).toEqual([true, LAST_INDEX]);
      else if (left === rows) expect([isOn(state), indexOf(state)]).toEqual([false, 0]);
      else expect(indexOf(state), `${left} rows left`).toBeLessThanOrEqual(rows);
    }
  },
);
