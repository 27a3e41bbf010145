import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { VerifiedRun } from "../distillation-runs.ts";
import { runLockstep, runLockstepOn } from "./lockstep-process.ts";

/** Reached only when something is broken, on a busy machine too. */
const LIMIT_MS = 900_000;

let folder = "";
let verified: VerifiedRun;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-quick-"));
  const run = await runLockstep("distill", "run", join(folder, "nexus"), "--quick", "--yes");
  expect(run.code, run.stderr).toBe(0);
  const again = await runLockstep("distill", "verify", join(folder, "nexus"), "--json");
  expect(again.code, again.stderr).toBe(0);
  verified = JSON.parse(again.stdout) as VerifiedRun;
}, LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the quick form keeps at least 0.97 of each of four teachers that know their work, once they are gone", () => {
  const { capabilities } = verified.report;
  expect(capabilities).toHaveLength(4);
  for (const { category, prompts, teacher, student, retention } of capabilities) {
    expect(teacher / prompts, category).toBeGreaterThan(0.9);
    expect(retention, category).toBeGreaterThanOrEqual(0.97);
    expect(retention, category).toBe(student / teacher);
  }
  expect(verified.findings.map(({ claim }) => claim).join("\n")).toMatch(/teachers are gone/);
});

test("asked one by one, its student has as many right answers as the report counts", async () => {
  const run = join(folder, "nexus");
  const lines = readFileSync(join(run, "measured", "code", "benchmark.jsonl"), "utf8")
    .trim()
    .split("\n");
  const benchmark = lines.map((line) => JSON.parse(line) as { readonly prompt: string; readonly answer: string });
  const questions = ["py for row of rows", ...benchmark.map(({ prompt }) => prompt)];
  const { code, stdout, stderr } = await runLockstepOn(Buffer.from(questions.join("\n")), "distill", "ask", run);
  expect(code, stderr).toBe(0);
  const [first, ...answers] = stdout.split("\n").slice(0, -1);
  // The guide says so.
  expect(first).toBe("for row in rows:");
  expect(answers).toHaveLength(benchmark.length);
  const right = benchmark.filter(({ answer }, at) => answers[at] === answer).length;
  expect(right).toBe(verified.report.capabilities.find(({ category }) => category === "code")?.student);
});

test("its student has at most a third of the teachers' parameters, and its bundle 0.28 of the student's bytes", () => {
  const { parameters, bytes, float32Bytes } = verified.manifest;
  expect(parameters.student / parameters.teachers).toBeLessThanOrEqual(1 / 3);
  expect(bytes / float32Bytes).toBeLessThanOrEqual(0.28);
});

test("one byte a number loses less than 0.005 of what was kept", () => {
  const losses = Object.values(verified.report.quantizationLoss);
  expect(losses).toHaveLength(4);
  expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeLessThan(0.005);
});
