import { expect, test } from "vitest";
import { content, headOf, parseDump, parseGoodDump, writeDump } from "./dump-text.suite.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { TrajectoryError } from "./trajectory-error.ts";

function columnOf(frame: TrajectoryFrame | undefined, name: string): unknown[] {
  const column = frame?.columns.find((each) => each.name === name);
  if (column === undefined) return [];
  return column.kind === "text" ? [...column.codes].map((code) => column.words[code]) : [...column.values];
}

const TRICLINIC = ["-4.0080511965879438e-02 5.7039029418994556e+00 -5.9179115295410201e-03", "0 5 -1", "0 3 0.5"];
const MIXED = [
  `ITEM: UNITS\nreal\nITEM: TIME\n0.125\n${headOf("type id xs element c_q[1] ix", { step: "-9223372036854775808" })}`,
  "1 9007199254740991 0.5 C 1e-5 -1\n2 7 1.0 Na 2 0\n",
  headOf("id x label", { step: "9223372036854775807", atoms: "0", box: "pp pp fm" }),
  headOf("label x id", { step: "5", atoms: "3", box: "xy xz yz pp pp ff", bounds: TRICLINIC }),
  "1H 1 3\n007 2 1\n2H 3 2\n",
  headOf("x label", { step: "6", atoms: "1", box: "abc origin pp pp pp", bounds: ["1 0 0 5", "0 2 0 6", "0 0 3 7"] }),
  "-0 12\n",
  headOf("x y", { step: "7", atoms: "1", box: "" }),
  "1 nan\n",
].join("");

test("everything a dump may hold comes out as typed columns, with steps, boxes, units and times exact", () => {
  const [first, empty, tilted, general, old, ...rest] = parseGoodDump(MIXED);
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ step: -(2n ** 63n), time: 0.125, units: "real", atoms: 2 });
  expect(first?.columns.map(({ name, kind }) => [name, kind])).toEqual([
    ["type", "integer"],
    ["id", "integer"],
    ["xs", "real"],
    ["element", "text"],
    ["c_q[1]", "real"],
    ["ix", "integer"],
  ]);
  expect([...(first?.ids ?? [])]).toEqual([Number.MAX_SAFE_INTEGER, 7]);
  expect(columnOf(first, "element")).toEqual(["C", "Na"]);
  expect(columnOf(first, "c_q[1]")).toEqual([1e-5, 2]);
  expect(empty).toMatchObject({ step: 2n ** 63n - 1n, atoms: 0, time: undefined, units: "real" });
  expect(empty?.columns.map((column) => columnOf(empty, column.name))).toEqual([[], [], []]);
  expect(empty?.box).toEqual({ shape: "orthogonal", boundary: ["pp", "pp", "fm"], bounds: [0, 10, 0, 10, 0, 10] });
  expect(tilted?.box).toEqual({
    shape: "triclinic",
    boundary: ["pp", "pp", "ff"],
    bounds: [-4.0080511965879438e-2, 5.7039029418994556, -5.9179115295410201e-3, 0, 5, -1, 0, 3, 0.5],
  });
  expect(columnOf(tilted, "label")).toEqual(["1H", "007", "2H"]);
  expect(general?.box).toMatchObject({ shape: "general", bounds: [1, 0, 0, 5, 0, 2, 0, 6, 0, 0, 3, 7] });
  expect(general?.ids).toBeUndefined();
  expect(columnOf(general, "x")).toEqual([-0]);
  expect(columnOf(general, "label")).toEqual(["12"]);
  expect(old?.box.boundary).toBeUndefined();
  expect(columnOf(old, "y")).toEqual([Number.NaN]);
});

test.each([1, 2, 3, 7, 64, 1000])("frames do not depend on how the text is cut into pieces: %i bytes", (pieceBytes) => {
  expect(parseGoodDump(MIXED, pieceBytes)).toEqual(parseGoodDump(MIXED));
});

test("what was read is written, and reads the same again", () => {
  const frames = parseGoodDump(MIXED);
  const again = parseGoodDump(writeDump(frames));
  expect(again.map(content)).toEqual(frames.map(content));
});

test("a column of an unknown name holds numbers where all its cells are, and words for good once one is not", () => {
  const text = (cells: readonly string[]) =>
    `${headOf("id mystery", { atoms: String(cells.length) })}${cells.map((cell, i) => `${i} ${cell}\n`).join("")}`;
  const frames = parseGoodDump(text(["1", "2"]) + text(["1.50", "-inf"]) + text(["1", "C"]) + text(["1", "2"]));
  expect(frames.map(({ columns }) => columns[1]?.kind)).toEqual(["integer", "real", "text", "text"]);
  expect(columnOf(frames[1], "mystery")).toEqual([1.5, Number.NEGATIVE_INFINITY]);
});

test("ids may be missing, repeated and in any order, rows have blanks at their ends, lines carriage returns", () => {
  const text = `${headOf("id x ", { atoms: "3" })}9 1 \n4 2  \n9 3\t\n\n`;
  const [frame] = parseGoodDump(text.replaceAll("\n", "\r\n"));
  expect([...(frame?.ids ?? [])]).toEqual([9, 4, 9]);
  expect(columnOf(frame, "x")).toEqual([1, 2, 3]);
});

test("a frame tells where it was read", () => {
  const first = `${headOf("id x")}1 1\n2 2\n`;
  const [, second] = parseGoodDump(`${first}${headOf("id x", { atoms: "1" })}1 1`, 5);
  expect(second?.source).toEqual({
    file: "a.dump",
    line: 12,
    byte: first.length,
    bytes: headOf("id x", { atoms: "1" }).length + 3,
    isOpenEnded: true,
  });
});

test("arrays of a frame have its size, and buffers of their own", () => {
  const frames = parseGoodDump(`${headOf("id x element")}1 1 C\n2 2 C\n`.repeat(2));
  const arrays = frames.flatMap(({ columns }) => columns.map((c) => (c.kind === "text" ? c.codes : c.values)));
  expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBe(6);
  for (const array of arrays) expect([array.length, array.buffer.byteLength]).toEqual([2, 2 * array.BYTES_PER_ELEMENT]);
});

test("a frame of more rows than are believed at once is whole", () => {
  const atoms = 150_001;
  const rows = Array.from({ length: atoms }, (_, i) => `${i} ${i}.25 w${i % 3}\n`).join("");
  const [frame, ...rest] = parseGoodDump(headOf("id x element", { atoms: String(atoms) }) + rows);
  expect(rest).toEqual([]);
  expect(frame?.ids?.length).toBe(atoms);
  expect(frame?.ids?.every((id, i) => id === i)).toBe(true);
  expect(columnOf(frame, "x").every((x, i) => x === i + 0.25)).toBe(true);
  expect(columnOf(frame, "element").every((word, i) => word === `w${i % 3}`)).toBe(true);
});

const GOOD = `${headOf("id x element")}1 1.5 C\n2 2.5 C\n`;

test.each([
  ["bad-row", `${headOf("id x")}1 1\n2\n`, 11, 0],
  ["bad-row", `${headOf("id x")}1 1\n2 2 2\n`, 11, 0],
  ["bad-row", `${headOf("id x")}1 1\n\n2 2\n`, 11, 0],
  ["bad-number", `${headOf("id x")}1 1\n2 abc\n`, 11, 2],
  ["bad-id", `${headOf("x id")}1 1\n2 1.5\n`, 12, undefined],
  ["bad-id", `${headOf("x id")}1 1\n2 -1\n`, 12, undefined],
  ["bad-id", `${headOf("x id")}1 1\n2 9007199254740993\n`, 12, undefined],
  ["bad-text", `${headOf("id element")}1 C\n2 \u0007\n`, 11, 2],
  ["truncated", `${headOf("id x")}1 1\n${headOf("id x")}`, 11, 0],
  ["bad-header", `${headOf("id x")}1 1\n2 2\n3 3\n`, 12, 0],
  ["bad-header", headOf("id x", { step: "1.5" }), 2, 0],
  ["bad-header", headOf("id x", { step: "9223372036854775808" }), 2, 0],
  ["bad-header", headOf("id x", { atoms: "-1" }), 4, 0],
  ["bad-header", headOf("id x", { atoms: "two" }), 4, 0],
  ["bad-header", headOf("id x", { box: "pp pp" }), 5, 0],
  ["bad-header", headOf("id x", { box: "xy xz pp pp pp" }), 5, 0],
  ["bad-header", headOf("id x", { box: "xy xz yz pp pp pp" }), 6, 0],
  ["bad-header", headOf("id x", { bounds: ["0 1", "2 1", "0 1"] }), 7, 0],
  ["bad-header", headOf("id x", { bounds: ["0 1", "0 inf", "0 1"] }), 7, 0],
  ["bad-header", headOf(""), 9, 0],
  ["bad-header", headOf("id x id"), 9, 0],
  ["bad-header", "ITEM: TIMESTEP\n0\nITEM: ATOMS id\n", 3, 0],
  ["bad-header", "ITEM: TIMESTEP\n0\nITEM: TIMESTEP\n0\n", 3, 0],
  ["bad-header", "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ENTRIES\n0\n", 3, 0],
  ["bad-header", "PK\u0003\u0004 something else\n", 1, 0],
  ["bad-header", "ITEM: UNITS\n\n", 2, 0],
] as const)("%s: %j is refused at its line, after what is good before it", (code, text, line, column) => {
  const { frames, error } = parseDump(GOOD + text);
  expect(frames.length).toBe(code === "bad-header" && line === 12 ? 2 : 1);
  expect(error).toBeInstanceOf(TrajectoryError);
  const { place, message, ...rest } = error as TrajectoryError;
  expect(rest.code).toBe(code);
  expect(place.file).toBe("a.dump");
  expect(place.line).toBe(11 + line);
  const lineStart =
    text
      .split("\n")
      .slice(0, line - 1)
      .join("\n").length + (line > 1 ? 1 : 0);
  if (column !== undefined) expect(place.byte).toBe(GOOD.length + lineStart + column);
  expect(message).toContain(`a.dump, line ${11 + line}, byte ${place.byte}: `);
});

test.each([
  ["an empty file", ""],
  ["blank lines", "\n \n\n"],
])("%s has no frame", (_, text) => {
  expect(parseDump(text).error).toMatchObject({ code: "no-frame" });
});

test("cut anywhere, all frames before the cut are kept, and the cut is told as such", () => {
  const ends = [0];
  const texts = [GOOD, `ITEM: UNITS\nlj\nITEM: TIME\n1.5\n${GOOD}`, headOf("id x", { atoms: "0" }), GOOD];
  for (const text of texts) ends.push((ends.at(-1) ?? 0) + text.length);
  const whole = texts.join("");
  const all = parseGoodDump(whole).map(content);
  for (let cut = 1; cut < whole.length; cut++) {
    const { frames, error } = parseDump(whole.slice(0, cut));
    const kept = ends.filter((end) => end > 0 && end <= cut).length;
    // Without its line end a last row counts all the same: nothing tells whether it was cut. A header does not.
    const openEnded = ends.includes(cut + 1) && whole[cut - 1] === "C" ? 1 : 0;
    expect([cut, frames.length]).toEqual([cut, kept + openEnded]);
    expect(frames.map(content)).toEqual(all.slice(0, kept + openEnded));
    if (ends.includes(cut) || openEnded === 1) expect([cut, error]).toEqual([cut, undefined]);
    else expect([cut, (error as TrajectoryError | undefined)?.code]).toEqual([cut, "truncated"]);
  }
});

test("hostile sizes are refused before memory is taken for them", () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const atoms of ["2147483648", "4294967297", "9007199254740991"]) {
    expect(parseDump(headOf("id x", { atoms })).error).toMatchObject({ code: "too-large", place: { line: 9 } });
  }
  const believable = parseDump(`${headOf("id x", { atoms: "8000000" })}1 1\n`);
  expect(believable.error).toMatchObject({ code: "truncated" });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20);
  const names = Array.from({ length: 1025 }, (_, i) => `c${i}`).join(" ");
  expect(parseDump(headOf(names)).error).toMatchObject({ code: "too-large" });
  expect(parseDump(GOOD, { maxCells: 5 }).error).toMatchObject({ code: "too-large" });
});

test("a line of megabytes is refused, wherever it stands; one of a quarter is not", () => {
  const long = "1".repeat(3_000_000);
  for (const text of [long, `${long}\n`, `ITEM: TIMESTEP\n${long}\n`, `${headOf("id x")}1 1\n2 ${long}\n`]) {
    for (const pieceBytes of [100_000, 1 << 22]) {
      const { frames, error } = parseDump(GOOD + text, { pieceBytes });
      expect(frames.length).toBe(1);
      expect(error).toMatchObject({ code: "too-large" });
    }
  }
  const wide = `${headOf("id x element", { atoms: "1" })}1 0.${"1".repeat(200_000)} ${"w".repeat(60_000)}\n`;
  const [frame] = parseGoodDump(wide, 1000);
  expect(columnOf(frame, "x")).toEqual([0.1111111111111111]);
});
