import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readRequest } from "./bench-request.ts";
import { main, publish } from "./main.ts";
import { BENCHES } from "./registry.ts";

let folder = "";
let data = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-bench-"));
  data = await mkdtemp(join(tmpdir(), "lockstep-bench-data-"));
  await writeFile(join(data, "waves.csv"), [...new Array(60).keys()].map((t) => `${t % 7},${t}`).join("\n"));
});

afterEach(async () => {
  for (const each of [folder, data]) await rm(each, { recursive: true });
});

async function run(...args: readonly string[]) {
  let said = "";
  let complained = "";
  const results = new URL("results/", pathToFileURL(`${folder}/`));
  const code = await main(args, {
    results,
    say(text) {
      said += text;
    },
    complain(text) {
      complained += text;
    },
  });
  return { code, said, complained };
}

const SMALL = ["--rel", "0.1", "--frame-samples", "20"];

test("--json prints one JSON object on one line and nothing else, and keeps nothing", async () => {
  const { code, said, complained } = await run("codec", "--data", data, ...SMALL, "--json");
  expect([code, complained]).toEqual([0, ""]);
  expect(said.indexOf("\n")).toBe(said.length - 1);
  expect(JSON.parse(said)).toMatchObject({ cells: [{ set: "waves", rel: 0.1, channels: 2, samples: 60 }] });
  expect(await readdir(folder)).toEqual([]);
});

test("goals that are missed are told beside the result, whole as it is, and end it with exit code 1", async () => {
  const goals = [
    { what: "ratio", measured: 3, unit: "x", must: { atLeast: 2 } },
    { what: "delay", measured: 12, unit: "ms", must: { below: 10 } },
  ];
  const report = { title: "Made up", columns: ["a"], rows: [], notes: [], goals };
  const asked = {
    name: "codec",
    asJson: true,
    isKept: false,
    dataFolder: undefined,
    rels: [],
    frameSamples: undefined,
  };
  const [said, complained]: string[][] = [[], []];
  const place = {
    results: new URL("results/", pathToFileURL(`${folder}/`)),
    say: (text: string) => said?.push(text),
    complain: (text: string) => complained?.push(text),
  };
  expect(await publish(report, asked, place)).toBe(1);
  expect(JSON.parse(said?.join("") ?? "")).toEqual(report);
  expect(complained).toEqual(["bench: 1 of 2 goals are missed:\n  delay: 12 ms, must be < 10 ms\n"]);
  expect(await publish({ ...report, goals: goals.slice(0, 1) }, asked, place)).toBe(0);
  expect(complained).toHaveLength(1);
});

test("without --write the page is printed and nothing is kept", async () => {
  const { code, said } = await run("codec", "--data", data, ...SMALL);
  expect(code).toBe(0);
  expect(said).toMatch(
    /^<!-- Made by `npm run bench -- codec --data DIR --rel 0\.1 --frame-samples 20`; do not edit\. -->\n# /,
  );
  expect(await readdir(folder)).toEqual([]);
});

test("with --write the page that is printed is kept, and its plots beside it", async () => {
  const { code, said } = await run("codec", "--data", data, ...SMALL, "--write");
  expect(code).toBe(0);
  expect((await readdir(join(folder, "results"))).sort()).toEqual(["codec-rates.svg", "codec-ratios.svg", "codec.md"]);
  expect(await readFile(join(folder, "results", "codec.md"), "utf8")).toBe(said);
  expect(said).toContain("--write`; do not edit.");
});

test("--help names every benchmark, and NAME --help every option of it with a command line that it takes", async () => {
  const { code, said } = await run("--help");
  expect(code).toBe(0);
  for (const name of BENCHES.keys()) expect(said).toMatch(new RegExp(`^  ${name} +[A-Z]`, "m"));
  expect(BENCHES.size).toBeGreaterThanOrEqual(7);
  for (const [name, { takes, example }] of BENCHES) {
    const help = await run(name, "-h");
    expect(help.code).toBe(0);
    expect(help.said).toContain(`Example: npm run -s bench -- ${example}\n`);
    for (const option of [...Object.keys(takes), "json", "write"])
      expect(help.said).toMatch(new RegExp(`^  --${option} `, "m"));
    expect(help.said.includes("--data ")).toBe("data" in takes);
    expect(readRequest(example.split(" "))).toMatchObject({ request: { name } });
  }
});

test.for([
  [
    ["codec", "--frames", "10"],
    /^bench: unknown option --frames; codec takes: --data DIR, --rel R,\.\.\., --frame-samples N, --json,/,
  ],
  [["size", "-x"], /^bench: unknown option -x; size takes: --json, --write, --help\n$/],
  [["size", "--data", "."], /^bench: size does not take --data; size takes: --json, --write, --help\n$/],
  [["wire", "--rel=0.1"], /^bench: wire does not take --rel; /],
  [["latency", "--frame-samples", "9"], /^bench: latency does not take --frame-samples; /],
  [["codec", "--data"], /^bench: --data needs a value; codec takes: /],
  [["codec", "--data", "--json"], /^bench: --data needs a value; /],
  [["codec", "--data="], /^bench: --data needs a value; /],
  [["codec", "--json=yes"], /^bench: --json takes no value\n$/],
  [["codec", "--rel", "0.1,2"], /^bench: --rel 2: give bounds above 0 and below 1/],
  [["codec", "--rel", "fine"], /^bench: --rel fine: /],
  [["codec", "--rel", "0.1,"], /^bench: --rel : give bounds/],
  [["codec", "--frame-samples", "1.5"], /^bench: --frame-samples 1\.5: give a whole number above 0\n$/],
  [["codec", "--quick"], /^bench: codec does not take --quick; codec takes: /],
  [["lm", "--quick=yes"], /^bench: --quick takes no value\n$/],
  [["lm", "--parts"], /^bench: --parts needs a value; lm takes: --data DIR, --parts NAME,\.\.\., --quick, /],
  [["lm", "--parts", "gemm", "--parts", "steps"], /^bench: --parts is given twice: give it once\n$/],
  [["codec", "size"], /^bench: one benchmark at a time: "size" is too much\n$/],
  [["nothing"], new RegExp(`^bench: there is no "nothing"; NAME is one of: ${[...BENCHES.keys()].join(", ")}\n$`)],
  [["speed", "--rel", "0.1,0.01"], /^bench: --rel 0\.1,0\.01: speed takes one bound: --rel 0\.1\n$/],
  [["speed", "--rel", "0.1", "--rel", "0.01"], /^bench: --rel 0\.1,0\.01: speed takes one bound: --rel 0\.1\n$/],
  [["codec", "--data", "a", "--data=b"], /^bench: --data is given twice: give it once\n$/],
  [
    ["codec", "--frame-samples", "9", "--frame-samples", "9"],
    /^bench: --frame-samples is given twice: give it once\n$/,
  ],
  [[], /^bench: no NAME given\nUsage: npm run -s bench -- NAME/],
] as const)("%j is refused in words", ([args, words]) => {
  const read = readRequest(args);
  expect("refusal" in read ? `${read.refusal}\n` : read).toMatch(words);
});

test.for([
  [["codec", "--frames", "10"], /^bench: unknown option --frames; /],
  [["codec"], /^recording: no folder: .*give --data DIR/],
  [["speed", "--rel", "0.1,0.01"], /^bench: --rel 0\.1,0\.01: speed takes one bound/],
  [["lm", "--parts", "gemm,magic"], /^bench: unknown name: part magic, there are steps,gemm,/],
  [["lm", "--data", "."], /^bench: unknown name: file input\.txt, folder --data\n$/],
] as const)("%j ends with exit code 2, and the reason is no output", async ([args, words]) => {
  const { code, said, complained } = await run(...args);
  expect([code, said]).toEqual([2, ""]);
  expect(complained).toMatch(words);
});
