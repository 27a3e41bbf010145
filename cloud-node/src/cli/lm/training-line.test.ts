import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { ManualClock } from "../../manual-clock.suite.ts";
import type { OutputStream } from "../surroundings.ts";
import { TrainingLine } from "./training-line.ts";

function stream(isTTY: boolean): { readonly out: OutputStream; said(): string } {
  const out = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  return { out, said: () => String(out.read() ?? "") };
}

const EVALUATION = {
  ...{
    step: 250,
    tokens: 1,
    seconds: 1,
    loss: 2,
    smoothedLoss: 2,
    gradientNorm: 1,
    tokensPerSecond: 1,
    memoryBytes: 1,
  },
  ...{ trainLoss: 1.5, valLoss: 1.75, trainBitsPerByte: 2, valBitsPerByte: 2.5 },
};

test("a run shows its loss as a curve, its speed, and the time left", () => {
  const clock = new ManualClock();
  const { out, said } = stream(true);
  const line = new TrainingLine(out, clock);
  for (let step = 1; step <= 400; step++) {
    clock.advance(100);
    line.step(step, 1000, 4 - step / 200, step * 768);
  }
  const last = said().split("\r").at(-1) ?? "";
  expect(last).toMatch(
    /train {2}loss 2\.\d{3} [▁▂▃▄▅▆▇█]{6,12} {2}\[#{7,8}\.+\] {2}\d+ % {2}.*tokens\/s {2}about \d min/,
  );
  const [curve = ""] = /[▁-█]+/.exec(last) ?? [];
  expect([curve.at(0), curve.at(-1)]).toEqual(["█", "▁"]);
  clock.advance(1000);
  line.judging(400, 1000, 3, 400);
  expect(said()).toMatch(/train {2}judged by 3 of 400 batches {2}\[#+\.+\] {2}40 %/);
  line.evaluation(EVALUATION);
  expect(said()).toContain("step 250: train 1.5000, val 1.7500 nats, 2.5000 bits per byte\n");
});

test("where nobody looks evaluations and warnings are lines, and nothing else is shown", () => {
  const clock = new ManualClock();
  const { out, said } = stream(false);
  const line = new TrainingLine(out, clock);
  for (let step = 1; step <= 40; step++) {
    clock.advance(100);
    line.step(step, 100, 3, step);
  }
  line.evaluation(EVALUATION);
  line.clear();
  expect(said()).toBe("step 250: train 1.5000, val 1.7500 nats, 2.5000 bits per byte\n");
  line.say("memory grew");
  expect(said()).toBe("memory grew\n");
});
