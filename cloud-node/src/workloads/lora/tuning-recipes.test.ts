import { expect, test } from "vitest";
import { settleModel } from "../language-model/model-config.ts";
import { checkRunConfig } from "../language-model/parse-run-config.ts";
import { BASE_SIZES } from "./make-base.ts";
import { settleTuning } from "./tuning-recipes.ts";

const tiny = settleModel(checkRunConfig(BASE_SIZES.usual.run).model, BASE_SIZES.usual.tokens);
const large = settleModel(
  checkRunConfig({ model: { ...BASE_SIZES.usual.run.model, width: 576, hidden: 1536 } }).model,
  49_152,
);

test("a tiny model is moved by larger steps than a large one, and what somebody says goes", () => {
  const [small, usual] = [settleTuning(tiny, {}), settleTuning(large, {})];
  expect(small.alpha * small.learningRate).toBeGreaterThan(5 * usual.alpha * usual.learningRate);
  expect(settleTuning(tiny, { alpha: 4, batch: 8 })).toMatchObject({ alpha: 4, batch: 8, rank: 8, iterations: 100 });
});

test("what cannot be computed by is refused", () => {
  expect(() => settleTuning(tiny, { rank: 0 })).toThrow(expect.objectContaining({ code: "bad-option" }));
  expect(() => settleTuning(tiny, { batch: 6, shards: 4 })).toThrow(/multiple of shards/);
});
