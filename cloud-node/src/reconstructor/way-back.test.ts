import { expect, test } from "vitest";
import { WayBack } from "./way-back.ts";

test("answers go by the link that was heard last, and by the one before it once that is gone", () => {
  const way = new WayBack<{ readonly name: string }>();
  const [old, fresh] = [{ name: "old" }, { name: "fresh" }];
  way.heard(old);
  way.heard(fresh);
  way.heard(old);
  expect(way.link).toBe(old);
  expect(way.gone(old)).toBe(false);
  expect(way.link).toBe(fresh);
  expect(way.gone(old)).toBe(false);
  expect(way.gone(fresh)).toBe(true);
  expect(way.link).toBeUndefined();
});

test("of many links some are kept", () => {
  const way = new WayBack<{ readonly n: number }>();
  const links = Array.from({ length: 20 }, (_, n) => ({ n }));
  for (const link of links) way.heard(link);
  expect(way.gone(links[0] ?? { n: -1 })).toBe(false);
  expect(way.link).toBe(links.at(-1));
  expect(links.toReversed().filter((link) => way.gone(link))).toEqual([links[12]]);
});
