import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommandLine } from "./command-line.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-explain-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function explain(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return await explainUnless(new AbortController().signal, ...args);
}

async function explainUnless(interrupt: AbortSignal, ...args: string[]) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const code = await runCommandLine({
    ...{ args: ["explain", ...args], env: {}, stdin, stdout, stderr, clock: systemClock(), random: systemRandom() },
    interrupt,
  });
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

test("the table has a line for every channel and the means, and the JSON what stands in it", async () => {
  const rows = Array.from({ length: 64 }, (_, t) => `${t % 4},${2 * t},${t}`);
  const input = await file("two.csv", `level,\u001b[31mramp,t\n${rows.join("\n")}\n`);
  const before = await readdir(folder);
  const { out, code } = await explain(input, "--eps", "0", "--time", "t");
  expect(code).toBe(0);
  const [title, head, ...lines] = out.trimEnd().split("\n");
  expect(title).toBe(`${input}: 64 samples of 2 channels; bits per sample`);
  expect(head?.split(/ +/)).toEqual(["channel", "eps", "signal", "hold", "line", "residual", "coded", "miss"]);
  expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual(["level", "ramp", "mean", "coded together"]);
  const { channels, codedAlone, codedTogether } = JSON.parse((await explain(input, "--eps", "0", "--json")).out);
  // Of 63 readings after the first, 15 are 0 and 16 each 1, 2 and 3.
  const bits = Math.log2(63) - (15 * Math.log2(15) + 3 * 16 * 4) / 63;
  expect(channels[0].signal).toMatchObject({ bits: expect.closeTo(bits, 9), symbols: 4 });
  expect(lines[0]).toContain(` ${bits.toFixed(2)} `);
  expect(lines[2]?.split(/ +/).at(-1)).toBe(codedAlone.toFixed(2));
  expect(lines[3]?.split(/ +/).at(-1)).toBe(codedTogether.toFixed(2));
  expect(await readdir(folder)).toEqual(before);
});

test("Ctrl-C ends it where it is", async () => {
  const { code, out, err } = await explainUnless(
    AbortSignal.abort(),
    await file("stop.csv", "a\n1\n2\n"),
    "--eps",
    "1",
  );
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/^lockstep: stopped at \d+ % of 1\/2 survey\n$/);
});

test("what cannot be explained is refused in one line that says why", async () => {
  const good = await file("good.csv", "a\n1\n2\n");
  await file("cut.f32", "123456789");
  await file("cut.json", '{"channels": ["a"]}');
  for (const [args, code, part] of [
    [[good], 2, "one of --eps and --rel"],
    [[good, "--eps", "1", "--rel", "1"], 2, "one of --eps and --rel"],
    [[good, "--eps", "-1"], 2, "a number ≥ 0"],
    [[good, "--eps", "b=1"], 2, 'no channel "b": there are a'],
    [[join(folder, "absent.csv"), "--eps", "1"], 1, "no such file"],
    [[folder, "--eps", "1"], 1, "is a folder"],
    [[await file("empty.csv", "a\n"), "--eps", "1"], 1, "no row below the header"],
    [[await file("words.csv", "a\n1\nlots\n"), "--eps", "1"], 1, "lots"],
    [[join(folder, "cut.f32"), "--eps", "1"], 1, "9 bytes are not whole rows"],
    [[await file("fine.csv", "a\n1e9\n2e9\n"), "--eps", "1e-9"], 1, "eps"],
  ] as const) {
    const { code: ended, out, err } = await explain(...args);
    expect([args, ended, out, err]).toEqual([args, code, "", expect.stringContaining(part)]);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  }
});
