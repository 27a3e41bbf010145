import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BOARD_SUPPORT, STRICT } from "../conformance/c-host-build.ts";
import { programPath, requires } from "../os-package.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const OURS = ["boot-record.c", "crc32.c"].map((name) => join(BOARD_SUPPORT, name));
const LONG = { timeout: 120_000 };

requires("c-compiler")("the boot records", () => {
  const folder = mkdtempSync(join(tmpdir(), "boot-record-"));
  const host = join(folder, "host");
  beforeAll(() => {
    const sources = [here("boot-record-host.c"), here("simulated-flash.c"), ...OURS];
    execFileSync(programPath("c-compiler"), [...STRICT, "-O2", `-I${BOARD_SUPPORT}`, "-o", host, ...sources]);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test.for([
    [4, 0],
    [4, 77],
    [8, 5],
    [16, 0],
    [32, 3],
  ] as const)(
    "hold the old state or the new one, wherever power fails three times running: write unit %i, garbage %i",
    LONG,
    ([unit, garbage]) => {
      let [cuts, news, backs] = [0, 0, 0];
      for (const seed of [1, 2, 3, 4]) {
        const told = execFileSync(host, [`${unit}`, `${garbage}`, `${seed}`], { encoding: "utf8" });
        const [moreCuts = 0, moreNews = 0, moreBacks = 0] = told.trim().split(" ").map(Number);
        cuts += moreCuts;
        news += moreNews;
        backs += moreBacks;
      }
      expect(cuts).toBeGreaterThan(1000);
      expect(news, "some cuts came after a step had taken effect").toBeGreaterThan(3);
      expect(backs, "some boots went back").toBeGreaterThan(500);
    },
  );
});
