import { expect, test } from "vitest";
import { checkTable } from "./update-tables.ts";

test("a check of an image that counts as running says what one of other bytes needs", () => {
  const devices = [{ device: "pump", isFit: true, isCurrent: true, refusals: [], state: null }];
  const about = { version: "1.2.0", model: "00", target: "board", keyId: "k", bytes: 1, isFit: true, unmatched: [] };
  const table = checkTable({ ...about, form: "image", devices });
  expect(table).toBe("pump  runs 1.2.0 already: for an image of other bytes give a higher --version");
  expect(checkTable({ ...about, form: "module", devices })).toBe("pump  runs 1.2.0 already");
});
