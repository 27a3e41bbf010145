import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAUNCHER, runLockstep } from "./lockstep-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/guides/gradients.md"), "utf8");
/** Trainings of several workers on a machine that does other things, too. */
const PATIENCE_MS = 300_000;
/** What the guide trains. */
const SMALL = ["--recipe", "tiny", "--steps", "30"];

let folder = "";
const at = (name: string) => join(folder, name);
const gradient = (...args: string[]) => runLockstep("gradient", ...args);

/** A line of the guide, as a shell types it in the folder. */
async function typed(line: string): Promise<{ code: number | null; stderr: string }> {
  const command = line.replace(/^npx lockstep /, '"$0" "$1" ');
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const child = spawn("sh", ["-c", command, process.execPath, LAUNCHER], { cwd: folder, stdio: [...stdio] });
  const [stderr, [code]] = await Promise.all([text(child.stderr as Readable), once(child, "close")]);
  return { code, stderr };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-report-"));
  copyFileSync(join(ROOT, "cloud-node/src/workloads/language-model/sonnets.txt"), at("book.txt"));
  const lines = [...GUIDE.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.trimEnd().split("\n"));
  // Workers of a queue are on other machines.
  const here = lines.filter((line) => !/--queue|--jobs/.test(line));
  expect(here.length).toBeGreaterThan(5);
  for (const line of here) expect([line, await typed(line)]).toEqual([line, { code: 0, stderr: "" }]);
}, PATIENCE_MS);
afterAll(() => rmSync(folder, { recursive: true }));

test("the guide's calibration wrote a mask that names the part of every tensor, and a plot", () => {
  const { tensors } = JSON.parse(readFileSync(at("mask.json"), "utf8"));
  const roles = Map.groupBy(tensors as { name: string; role: string; variance: number }[], ({ role }) => role);
  expect(["guarded", "passenger", "driver"].map((role) => [role, roles.get(role)?.length])).toEqual([
    ["guarded", 7],
    ["passenger", 4],
    ["driver", 8],
  ]);
  const variances = (role: string) => (roles.get(role) ?? []).map(({ variance }) => variance);
  expect(Math.max(...variances("passenger"))).toBeLessThan(Math.min(...variances("driver")));
  expect(readFileSync(at("mask.svg"), "utf8")).toMatch(/^<svg [\s\S]*>threshold<[\s\S]*<\/svg>\n$/);
});

test("a report sets runs beside their baseline: losses, bytes by part, and time over lines", () => {
  const { rows } = JSON.parse(readFileSync(at("compared/report.json"), "utf8"));
  const [plain, , masked] = rows;
  expect(plain).toMatchObject({ run: "plain", compress: "none", degradation: 0, paysBelow: 0 });
  expect(masked).toMatchObject({ run: "masked", compress: "sync-50" });
  const trained = JSON.parse(readFileSync(at("masked/exchange.json"), "utf8"));
  expect(masked.uplinkBytes).toBe(trained.uplinkWire);
  expect(masked.messageBytes).toBeLessThan(masked.uplinkBytes);
  for (const { linked, seconds, uplinkBytes, downlinkBytes } of rows) {
    expect(linked[0].bytesPerSecond).toBe(1e5);
    expect(linked[0].seconds).toBeCloseTo(seconds + (uplinkBytes + downlinkBytes) / 1e5, 9);
  }
  const [slow] = masked.linked;
  expect(slow.seconds).toBeLessThan(plain.linked[0].seconds);
  for (const file of ["loss.svg", "links.svg", "report.md", "report.json"])
    expect(existsSync(at(`compared/${file}`))).toBe(true);
  for (const { run } of rows) expect(readFileSync(at("compared/loss.svg"), "utf8")).toContain(`>${run}</text>`);
});

test("what cannot be calibrated, masked or compared is refused by its name", { timeout: PATIENCE_MS }, async () => {
  const book = at("book.txt");
  writeFileSync(
    at("other.json"),
    readFileSync(at("mask.json"), "utf8").replaceAll("transformer.h.1.", "transformer.h.9."),
  );
  writeFileSync(at("broken.json"), "{");
  for (const [args, code, part] of [
    [["calibrate", book, "--out", at("x.json"), "--workers", "3", ...SMALL], 2, "16 rows of a batch for 3 workers"],
    [["calibrate", book, "--out", at("x.json"), "--calibration-steps", "1", ...SMALL], 2, "take 2 or more"],
    [["calibrate", book, "--out", at("x.svg"), ...SMALL], 2, "is a name for the plot"],
    [["calibrate", book, "--out", at("x.json"), "--share", "0.2", "--threshold", "1"], 2, "cannot be used with"],
    [["calibrate", at("nobody.txt"), "--out", at("x.json")], 1, "no such file"],
    [["train", book, "--out", at("x"), "--mask", at("mask.json"), ...SMALL], 2, "choose a method that compresses"],
    [["train", book, "--out", at("y"), "--compress", "sync-15", "--mask", at("broken.json"), ...SMALL], 1, "no JSON"],
    [
      ["train", book, "--out", at("z"), "--compress", "sync-15", "--mask", at("other.json"), ...SMALL],
      1,
      "other tensors",
    ],
    [["report", at("plain"), folder, "--out", at("r")], 1, "there is no exchange.json"],
    [["report", at("plain"), at("masked"), "--out", at("compared")], 1, "there is a report"],
  ] as const) {
    const finished = await gradient(...args);
    expect([args, finished.code, finished.stderr]).toEqual([args, code, expect.stringContaining(part)]);
  }
  expect(existsSync(at("x.json")) || existsSync(at("r"))).toBe(false);
  const { steps, ...rest } = JSON.parse(readFileSync(at("masked/exchange.json"), "utf8"));
  writeFileSync(at("masked/exchange.json"), JSON.stringify({ ...rest, steps, parameters: 7 }));
  const { code, stderr } = await gradient("report", at("plain"), at("masked"), "--out", at("r"));
  expect([code, stderr]).toEqual([1, expect.stringContaining("masked has 7 parameters")]);
});

test("runs of other texts are not compared, and what else they have otherwise is said", async () => {
  const summary = readFileSync(at("small/summary.json"), "utf8");
  const { config, text: learned } = JSON.parse(summary);
  const change = (more: object) =>
    writeFileSync(at("small/summary.json"), JSON.stringify({ config, text: learned, ...more }));
  try {
    change({ text: { ...learned, sha256: "ab".repeat(32) } });
    const refused = await gradient("report", at("plain"), at("small"), "--out", at("r"));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("compare runs of one model and text")]);
    change({ config: { ...config, seed: 9 } });
    const compared = await gradient("report", at("plain"), at("small"), "--out", at("r"));
    expect([compared.code, compared.stdout]).toEqual([
      0,
      expect.stringContaining("small has other options than plain: seed."),
    ]);
  } finally {
    writeFileSync(at("small/summary.json"), summary);
  }
});
