import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";
import { BOARD_SUPPORT, STRICT } from "./c-host-build.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), "board-programs-"));
const INCLUDES = ["", "boards", "interpreted", "interpreter"].map((name) => `-I${join(BOARD_SUPPORT, name)}`);

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** Build a program of this folder with sources of the board support, and run it. @returns its lines */
function run(name: string, support: readonly string[]): string[] {
  const host = join(FOLDER, name);
  const sources = [here(`${name}.c`), ...support.map((source) => join(BOARD_SUPPORT, source))];
  const flags = ["-std=c11", "-O1", ...STRICT, ...INCLUDES, `-I${here("../../edge-sdk/include")}`];
  execFileSync(programPath("c-compiler"), [...flags, ...sources, "-o", host]);
  return execFileSync(host, { encoding: "utf8" }).trim().split("\n");
}

requires("c-compiler")("board support on its own", () => {
  test("a serial device that waited for a restart in vain, or erased for long, says that it has no reading of that time", () => {
    const rows = run("serial-device-host", ["serial-framing.c"]).map((line) => line.split(" ").map(Number));
    const times = Array.from({ length: 30 }, (_, t) => 10 * t);
    const silent = [100, 110, 120, 130, 210, 220, 230, 250, 260];
    expect(rows).toEqual(times.map((ms) => (silent.includes(ms) ? [ms, 1, -1] : [ms, 0, ms])));
  });

  test("a module that says a wrong length of its frame fails the self-test, and nothing more", () => {
    const lines = run("self-test-host", ["self-test.c", "sha256.c"]);
    expect(lines).toEqual(["16 1", "3072 0", "2147483647 0", "4294967295 0", "0 0"]);
  });
});
