/**
 * `npm run firmware-sizes`: make every firmware example, and write what `make size` says into the table of its README.
 * A test makes them anew and compares (`test/end-to-end/firmware-examples.test.ts`).
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * @typedef {object} PartSizes
 * @property {number} flash   bytes
 * @property {number} memory  bytes
 *
 * @typedef {object} SizedExample
 * @property {string} folder  in firmware-examples
 * @property {readonly string[]} boards  as its Makefile names them; none for a program of this machine
 */

const FOLDER = fileURLToPath(new URL("../firmware-examples", import.meta.url));
const BEGIN = "<!-- Made by `npm run firmware-sizes`; do not edit. -->";
const END = "<!-- end of what was made -->";

/** @type {readonly SizedExample[]} */
export const SIZED_EXAMPLES = [
  { folder: "cortex-m4-qemu", boards: ["mps2-an386"] },
  { folder: "riscv32-qemu", boards: ["riscv32-virt"] },
  { folder: "rotor-twin", boards: ["mps2-an386", "riscv32-virt"] },
  { folder: "rotor-updatable", boards: ["mps2-an386", "riscv32-virt"] },
  { folder: "linux-host", boards: [] },
];

/** What the parts are, for a reader. @type {Readonly<Record<string, string>>} */
const PARTS = {
  core: "core: encoder, link",
  device: "device: sensor, serial framing, the core's memory",
  store: "store: log, ring, flash driver",
  interp: "interpreter, and the core's names on it",
  update: "update machine with Ed25519, and what carries it out",
  mac: "MACs on the link: SHA-256, and what calls it",
  boot: "boot records, slots, restart, self-test",
  model: "the board's model of a flash chip, which a real one has no need of",
  board: "board: start, clock, UART, memcpy, division",
  stack: "stack, reserved",
  program: "the whole program, the C library's part included",
};

/**
 * What `make size` has printed, by part.
 *
 * @param {string} printed
 * @returns {Map<string, PartSizes>}
 */
export function readSizes(printed) {
  const rows = printed.matchAll(
    /^(core|device|store|interp|update|mac|boot|model|board|stack|program) +(\d+) +(\d+)$/gm,
  );
  return new Map(
    [...rows].map(([, part = "", flash, memory]) => [part, { flash: Number(flash), memory: Number(memory) }]),
  );
}

/**
 * The table of a README, of the sizes on each of its boards.
 *
 * @param {readonly string[]} boards
 * @param {readonly ReadonlyMap<string, PartSizes>[]} sizes  one for each board
 * @returns {string}
 */
function sizesTable(boards, sizes) {
  const of = (/** @type {string} */ board) => (boards.length > 1 ? `${board}: ` : "");
  const parts = Object.keys(PARTS).filter((part) => sizes.some((one) => one.has(part)));
  const columns = (boards.length === 0 ? [""] : boards).flatMap((board) => [
    `${of(board)}flash, bytes`,
    `${of(board)}memory, bytes`,
  ]);
  const number = (/** @type {number} */ value) => value.toLocaleString("en");
  return [
    `| part | ${columns.join(" | ")} |`,
    `|---|${columns.map(() => "---:").join("|")}|`,
    ...parts.map((part) => {
      const cells = sizes.flatMap((one) => [number(one.get(part)?.flash ?? 0), number(one.get(part)?.memory ?? 0)]);
      return `| ${PARTS[part]} | ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}

/**
 * The numbers of a README's table, row by row; none where it has no table.
 *
 * @param {string} readme
 * @returns {Map<string, number[]>}
 */
export function tableOf(readme) {
  const [, table = ""] = readme.split(BEGIN);
  const rows = (table.split(END)[0] ?? "").split("\n").filter((line) => /^\| .*\d \|$/.test(line));
  return new Map(
    rows.map((line) => {
      const [label = "", ...cells] = line.slice(2, -2).split(" | ");
      return [label, cells.map((cell) => Number(cell.replaceAll(",", "")))];
    }),
  );
}

/**
 * The rows of a README's table as `sizesTable` would have them.
 *
 * @param {readonly ReadonlyMap<string, PartSizes>[]} sizes
 */
export function rowsOf(sizes) {
  return tableOf(`${BEGIN}\n${sizesTable(sizes.map(String), sizes)}\n${END}`);
}

/**
 * @param {string} readme
 * @param {string} table
 */
function putTable(readme, table) {
  const [before, rest = ""] = readme.split(BEGIN);
  const [, after] = rest.split(END);
  if (after === undefined) throw new RangeError(`a README of firmware-examples lacks "${BEGIN}" or "${END}"`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

/** Make an example where it lies. @param {readonly string[]} args @returns {Map<string, PartSizes>} */
function measure(args) {
  execFileSync("make", args, { stdio: ["ignore", "ignore", "inherit"] });
  return readSizes(execFileSync("make", ["--no-print-directory", "-s", ...args, "size"], { encoding: "utf8" }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { folder, boards } of SIZED_EXAMPLES) {
    const at = join(FOLDER, folder);
    const sizes = (boards.length === 0 ? [[]] : boards.map((board) => [`BOARD=${board}`])).map((args) =>
      measure(["-C", at, ...args]),
    );
    const readme = join(at, "README.md");
    writeFileSync(readme, putTable(readFileSync(readme, "utf8"), sizesTable(boards, sizes)));
    process.stdout.write(`${readme}\n`);
  }
}
