import { expect, test } from "vitest";
import { distillationFacts } from "./distillation-facts.ts";

const job = (params: object, value: object | null) =>
  ({ params, result: value === null ? null : { value, outputs: [] } }) as Parameters<typeof distillationFacts>[0];
const metrics = (each: Record<string, number>) => ({ fraction: null, note: "", metrics: each });

test("a step that runs shows its stage and its loss now", () => {
  const shown = distillationFacts(job({ step: "adapter-code" }, null), metrics({ stage: 4, step: 25, loss: 1.5 }));
  expect(shown).toEqual({ stage: 4, step: "adapter-code", losses: [{ step: 25, loss: 1.5 }], capabilities: [] });
});

test("a step that is done shows every look at its loss, and what was kept", () => {
  const looks = [
    { step: 50, loss: 2, missed: {} },
    { step: 100, loss: 1, missed: {} },
  ];
  const kept = { category: "code", retention: 0.98, low: 0.95, high: 1, prompts: 200 };
  const value = { step: "gate", stage: 5, facts: { looks, capabilities: [kept] }, seconds: 1, peakMB: 1 };
  const shown = distillationFacts(job({ step: "gate" }, value), null);
  expect(shown.losses.map(({ loss }) => loss)).toEqual([2, 1]);
  expect(shown.capabilities).toEqual([kept]);
  expect(shown.stage).toBe(5);
});

test("whatever a stranger's job has in these places, nothing that is no number is drawn", () => {
  const facts = { looks: [null, { step: "1", loss: 2 }, 7], capabilities: [{ category: "x", retention: "all" }, "y"] };
  const shown = distillationFacts(job({ step: 3 }, { stage: "all", facts }), null);
  expect(shown).toEqual({ stage: undefined, step: "", losses: [], capabilities: [] });
});
