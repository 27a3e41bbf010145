import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@lockstep/sim";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";
import { BOARD_SUPPORT, STRICT } from "./c-host-build.ts";

const SEED = 11;
const RING_BYTES = 16;

requires("c-compiler")("bytes that a board receives by interrupt", () => {
  const folder = mkdtempSync(join(tmpdir(), "receive-"));
  const program = join(folder, "host");

  beforeAll(() => {
    const boards = join(BOARD_SUPPORT, "boards");
    const sources = [join(boards, "bare-metal.c"), fileURLToPath(new URL("receive-host.c", import.meta.url))];
    execFileSync(programPath("c-compiler"), ["-std=c99", "-O2", ...STRICT, `-I${boards}`, ...sources, "-o", program]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const say = (...commands: readonly (string | number)[]) =>
    execFileSync(program, {
      input: Buffer.concat(commands.map((one) => (typeof one === "number" ? Buffer.of(one) : Buffer.from(one)))),
    });

  test("without listening the UART's own byte is read, and a second one is lost", () => {
    expect([...say("b", 1, "b", 2, "r", "b", 3, "r")]).toEqual([1, 1, 1, 3]);
  });

  test("a byte that came before listening began is not left behind", () => {
    expect([...say("b", 1, "l", RING_BYTES, "b", 2, "i", "r", "m")]).toEqual([2, 1, 2, 0]);
  });

  test("what the UART had no room for counts as missed, as what the ring has none for does", () => {
    expect([...say("l", RING_BYTES, "b", 1, "b", 2, "i", "m", "i", "m")]).toEqual([1, 1]);
    const full = Array.from({ length: RING_BYTES + 3 }, (_, i) => ["b", i, "i"]).flat();
    const kept = Array.from({ length: RING_BYTES }, (_, i) => i);
    expect([...say("l", RING_BYTES, ...full, "m", "r", "m")]).toEqual([3, RING_BYTES, ...kept, 3]);
  });

  test("bytes come out in order and once, whenever the program reads", () => {
    const random = seededRandom(SEED);
    const commands: (string | number)[] = ["l", RING_BYTES];
    const expected: number[] = [];
    let waiting: number[] = [];
    let missed = 0;
    for (let n = 0; n < 20_000; n++) {
      const byte = random.uint32() & 255;
      if (random.uniform() < 0.9) {
        commands.push("b", byte, "i");
        if (waiting.length < RING_BYTES) waiting.push(byte);
        else missed += 1;
      } else {
        commands.push("r");
        expected.push(waiting.length, ...waiting);
        waiting = [];
      }
    }
    expect(missed).toBeGreaterThan(100);
    expect(Buffer.compare(say(...commands, "m"), Buffer.from([...expected, missed & 255])), `seed ${SEED}`).toBe(0);
  });

  test("a ring whose counters wrap goes on", () => {
    expect([...say("w")]).toEqual([100]);
  });
});
