import { expect, test } from "vitest";
import { indexAccount } from "./index-account.ts";
import type { IndexFacts } from "./index-facts.ts";

/** Sections one after the other from byte 64 on, each on 16 bytes, and the table behind them. */
function facts(parts: readonly (readonly [tag: string, bytes: number])[], more: Partial<IndexFacts> = {}): IndexFacts {
  let end = 64;
  const sections = parts.map(([tag, bytes]) => {
    const offset = Math.ceil(end / 16) * 16;
    end = offset + bytes;
    return { tag, segment: 0, offset, bytes, crc: 0 };
  });
  const fileBytes = Math.ceil(end / 16) * 16 + 32 * sections.length;
  const empty = { deleted: 0, nextId: 10, d: 16, m: 1, codeBytes: 8, rerank: undefined, segments: [] } as const;
  return { n: 10, metric: "l2", ...empty, sections, fileBytes, ...more };
}

test("what vectors cost and what the index costs once are all of the file", () => {
  const index = facts([
    ["ROTM", 512],
    ["ANCH", 100],
    ["IDS ", 40],
    ["CODE", 80],
    ["SCAL", 20],
    ["TERM", 20],
  ]);
  const account = indexAccount(index);
  expect(account).toMatchObject({ bytesPerVector: 12, idBytesPerVector: 4, rerankBytesPerVector: 0, wasteBytes: 0 });
  expect(account.indexBytes + 10 * 16).toBe(index.fileBytes);
  expect(account.parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(index.fileBytes);
});

test("deleted rows and what changes left behind are waste", () => {
  const index = facts([["CODE", 80]], { n: 6, deleted: 4 });
  expect(indexAccount(index)).toMatchObject({ bytesPerVector: 8, wasteBytes: 32 });
  const changed = { ...index, fileBytes: index.fileBytes + 1000 };
  expect(indexAccount(changed)).toMatchObject({ bytesPerVector: 8, wasteBytes: 1032 });
});
