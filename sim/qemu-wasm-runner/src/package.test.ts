import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PACKAGE = "sim/qemu-wasm-runner";
const COPY = mkdtempSync(join(tmpdir(), "packed-"));
const COMES_ALONG = [
  ...["LICENSE-APACHE", "LICENSE-MIT"],
  ...["wasm-rt.h", "needed.flags", "boards/board.h", "interpreter/interpreter.h"].map(
    (name) => `board-support/${name}`,
  ),
];

afterAll(() => rmSync(COPY, { recursive: true }));

test("what the repository keeps elsewhere is there while it is packed, and gone after; what no source makes any more is gone", () => {
  mkdirSync(join(COPY, PACKAGE, "dist"), { recursive: true });
  const leftover = join(COPY, PACKAGE, "dist/renamed-long-ago.js");
  writeFileSync(leftover, "");
  for (const part of ["LICENSE-APACHE", "LICENSE-MIT", "firmware-examples/board-support", `${PACKAGE}/package.json`]) {
    cpSync(join(ROOT, part), join(COPY, part), { recursive: true });
  }
  const { scripts, files } = JSON.parse(readFileSync(join(COPY, PACKAGE, "package.json"), "utf8"));
  const script = (name: string) => {
    const [, file = "", ...args] = String(scripts[name]).split(" ");
    cpSync(join(ROOT, PACKAGE, file), join(COPY, PACKAGE, file));
    execFileSync(process.execPath, [file, ...args], { cwd: join(COPY, PACKAGE) });
  };
  const present = () => COMES_ALONG.filter((name) => existsSync(join(COPY, PACKAGE, name)));
  script("prepack");
  expect(present()).toEqual(COMES_ALONG);
  expect(existsSync(leftover)).toBe(false);
  for (const name of COMES_ALONG) expect(files).toContain(name.split("/")[0]);
  script("postpack");
  expect(present()).toEqual([]);
});

test("the compiler's notes stay out of the package", () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, PACKAGE, "package.json"), "utf8"));
  expect(files.indexOf("!dist/.tsbuildinfo")).toBeGreaterThan(files.indexOf("dist"));
});
