import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compileOnce } from "./object-cache.ts";
import { RunnerError } from "./runner-error.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "objects-"));
const KEPT = join(FOLDER, "kept");

afterAll(() => rmSync(FOLDER, { recursive: true }));

test("the same facts are compiled once, and others anew", async () => {
  const made: string[] = [];
  const make = async (name: string, ...facts: string[]) => {
    const object = join(FOLDER, name);
    await compileOnce(KEPT, facts, object, async () => {
      made.push(name);
      writeFileSync(object, facts.join(" "));
    });
    return readFileSync(object, "utf8");
  };
  expect(await make("one.o", "gcc 12", "int a;")).toBe("gcc 12 int a;");
  expect(await make("two.o", "gcc 12", "int a;")).toBe("gcc 12 int a;");
  expect(await make("three.o", "gcc 13", "int a;")).toBe("gcc 13 int a;");
  expect(made).toEqual(["one.o", "three.o"]);
  expect(readdirSync(KEPT).filter((name) => !name.endsWith(".o"))).toEqual([]);
});

test.for([0, 10, 70])("a kept object of which only %i bytes are left is made anew", async (left) => {
  const folder = join(FOLDER, `cut-${left}`);
  const object = join(FOLDER, `cut-${left}.o`);
  const text = "machine code ".repeat(10);
  const make = () => compileOnce(folder, ["fact"], object, async () => writeFileSync(object, text));
  await make();
  const [name = ""] = readdirSync(folder);
  truncateSync(join(folder, name), left);
  await make();
  expect(readFileSync(object, "utf8")).toBe(text);
  await compileOnce(folder, ["fact"], object, () => Promise.reject(new RunnerError("compile-failed")));
  expect(readFileSync(object, "utf8")).toBe(text);
});

test("nothing is kept of what did not compile", async () => {
  const object = join(FOLDER, "broken.o");
  const fail = () => Promise.reject(new RunnerError("compile-failed"));
  await expect(compileOnce(KEPT, ["broken"], object, fail)).rejects.toMatchObject({ code: "compile-failed" });
  expect(existsSync(object)).toBe(false);
  await compileOnce(KEPT, ["broken"], object, async () => writeFileSync(object, "mended"));
  expect(readFileSync(object, "utf8")).toBe("mended");
});
