import fc from "fast-check";
import { expect, test } from "vitest";
import type { Box } from "./box.ts";
import { numberOfWord } from "./column-names.ts";
import { content, parseDump, parseGoodDump, seededRandom, writeDump } from "./dump-text.suite.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";
import { TrajectoryError } from "./trajectory-error.ts";

const SEED = Number(process.env.SEED ?? 20_261_122);
const REAL_NAMES = ["x", "xs", "xu", "xsu", "vy", "fz", "q"];
const WHOLE_NAMES = ["type", "mol", "ix", "proc", "i_flag"];
const TEXT_NAMES = ["element", "typelabel"];

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const cell = fc.oneof(finite, fc.constantFrom(0, -0, 1e-5, 123456, 1e6, 0.1, Number.NaN, Number.POSITIVE_INFINITY));
const whole = fc.oneof(fc.integer(), fc.maxSafeInteger());
const word = fc.stringMatching(/^[A-Za-z][\w+*'-]{0,5}$/);

const box: fc.Arbitrary<Box> = fc
  .record({
    shape: fc.constantFrom("orthogonal", "triclinic", "general"),
    boundary: fc.option(fc.tuple(boundary(), boundary(), boundary()), { nil: undefined }),
    numbers: fc.array(finite, { minLength: 12, maxLength: 12 }),
  })
  .map(({ shape, boundary, numbers }) => {
    const perLine = { orthogonal: 2, triclinic: 3, general: 4 }[shape];
    const bounds = numbers.slice(0, 3 * perLine).map((value) => value + 0);
    for (let line = 0; shape !== "general" && line < 3; line++) {
      const [a = 0, b = 0] = bounds.slice(line * perLine);
      bounds[line * perLine] = Math.min(a, b);
      bounds[line * perLine + 1] = Math.max(a, b);
    }
    return { shape, boundary, bounds };
  });

function boundary(): fc.Arbitrary<string> {
  return fc.constantFrom("pp", "ff", "fs", "sm");
}

function column(name: string, atoms: number): fc.Arbitrary<Column> {
  const size = { minLength: atoms, maxLength: atoms };
  if (name === "id") {
    return fc.array(fc.maxSafeInteger().map(Math.abs), size).map((ids) => ({
      kind: "integer",
      name,
      values: Float64Array.from(ids),
    }));
  }
  if (WHOLE_NAMES.includes(name)) {
    return fc
      .array(whole, size)
      .map((values) => ({ kind: "integer", name, values: Float64Array.from(values, (v) => v + 0) }));
  }
  if (TEXT_NAMES.includes(name)) {
    return fc.array(word, size).map((cells) => {
      const words = [...new Set(cells)];
      return { kind: "text", name, words, codes: Uint32Array.from(cells, (each) => words.indexOf(each)) };
    });
  }
  return fc.array(cell, size).map((values) => ({ kind: "real", name, values: Float64Array.from(values) }));
}

const frame: fc.Arbitrary<TrajectoryFrame> = fc
  .record({
    atoms: fc.nat({ max: 12 }),
    names: fc.uniqueArray(fc.constantFrom("id", ...REAL_NAMES, ...WHOLE_NAMES, ...TEXT_NAMES), { minLength: 1 }),
    step: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    time: fc.option(finite, { nil: undefined }),
    units: fc.constant("metal"),
    box,
  })
  .chain(({ atoms, names, ...rest }) =>
    fc.tuple(...names.map((name) => column(name, atoms))).map((columns): TrajectoryFrame => {
      const ids = columns.find(({ name }) => name === "id");
      return { ...rest, atoms, columns, ids: ids?.kind === "integer" ? ids.values : undefined, source: undefined };
    }),
  );

test("any frames, written and read in pieces of any size, are the same frames", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      (frames, pieceBytes) => {
        const text = writeDump(frames);
        expect(parseGoodDump(text, pieceBytes).map(content)).toEqual(frames.map(content));
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

test("any bytes are a dump, or refused by a typed error with a place", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { error } = parseDump(bytes);
      expect(error).toBeInstanceOf(TrajectoryError);
      expect((error as TrajectoryError).place).toMatchObject({ file: "a.dump", line: expect.any(Number) });
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("bytes changed, lost or added anywhere leave the frames before them as they were, and never an untyped error", () => {
  const frames = fc.sample(frame, { seed: SEED, numRuns: 12 });
  const random = seededRandom(SEED);
  const bytes = Buffer.from(writeDump(frames));
  const good = parseGoodDump(bytes);
  const codes = new Set<string>();
  for (let round = 0; round < 8000; round++) {
    const { mutant, first } = mutate(bytes, random);
    const parsed = parseDump(mutant, { pieceBytes: 1 + (random() % 5000) });
    const { error } = parsed;
    if (error !== undefined && !(error instanceof TrajectoryError)) throw error;
    if (error !== undefined) codes.add(error.code);
    const untouched = good.filter(({ source }) => (source?.byte ?? 0) + (source?.bytes ?? 0) <= first);
    expect(parsed.frames.slice(0, untouched.length), `seed ${SEED}, round ${round}`).toEqual(untouched);
  }
  expect([...codes].sort()).toEqual(expect.arrayContaining(["bad-header", "bad-number", "bad-row", "truncated"]));
});

const TOKENS = [
  "\n",
  " ",
  "\0",
  "ITEM: ",
  "ITEM: ATOMS id x\n",
  "-",
  "e999",
  "99999999999999999999",
  "nan",
  "\ufffd",
  "\r\n",
];

/** One to three places changed; where the first of them is. */
function mutate(bytes: Buffer, random: () => number): { mutant: Buffer; first: number } {
  let mutant = Buffer.from(bytes);
  let first = bytes.length;
  for (let count = 1 + (random() % 3); count > 0; count--) {
    const at = random() % mutant.length;
    const length = random() % 20;
    first = Math.min(first, at);
    const kind = random() % 4;
    if (kind === 0) mutant[at] = (mutant[at] ?? 0) ^ (1 << (random() % 8));
    else if (kind === 1) mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(at + length)]);
    else if (kind === 2) {
      const token = Buffer.from(TOKENS[random() % TOKENS.length] ?? "");
      mutant = Buffer.concat([mutant.subarray(0, at), token, mutant.subarray(at)]);
    } else mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(Math.max(0, at - length))]);
    if (mutant.length === 0) mutant = Buffer.from("\n");
  }
  return { mutant, first };
}

test("the number that a word is, is the one that a numeric column would hold", () => {
  fc.assert(
    fc.property(
      fc.oneof(finite.map(String), fc.stringMatching(/^[-+.0-9eE]{1,8}$/), fc.constantFrom("nan", "-inf")),
      (text) => {
        const number = numberOfWord(text);
        const { frames, error } = parseDump(
          `ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS\n0 1\n0 1\n0 1\nITEM: ATOMS x\n${text}\n`,
        );
        const column = frames[0]?.columns[0];
        if (number !== undefined) expect(column?.kind !== "text" && column?.values[0]).toBe(number);
        else if (error === undefined) expect(text).toMatch(/^[-+]?0\d/);
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
});
