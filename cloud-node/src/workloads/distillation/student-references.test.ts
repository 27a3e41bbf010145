import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { uniformNumbers } from "../../tensor/random.ts";
import { teacherReferences } from "./student-references.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "student-references-"));
  await mkdir(join(folder, "adapters", "code"), { recursive: true });
  await writeFile(join(folder, "config.json"), '{ "model_type": "llama" }');
});
afterEach(() => rm(folder, { recursive: true }));

const TEACHERS = ["abacus", "braces-1.5"];

test("a student that names nobody is alone", async () => {
  await writeFile(join(folder, "adapters/code/adapter_config.json"), '{ "base_model_name_or_path": "abacus2" }');
  expect(await teacherReferences(folder, TEACHERS)).toEqual([]);
});

test.for([
  "teachers/abacus",
  "/srv/runs/teachers/abacus/model.safetensors",
  "..\\teachers\\abacus",
  "teachers//abacus\u0000",
])("a path of a teacher, %j, is found in whatever file has it", async (path) => {
  await writeFile(join(folder, "adapters/code/weights.bin"), `\u0000\u0001${path}`);
  expect(await teacherReferences(folder, TEACHERS)).toEqual([{ file: "adapters/code/weights.bin", teacher: "abacus" }]);
});

test("a name is met whole: one that goes on is another one's, and its dot is a dot", async () => {
  await writeFile(join(folder, "notes.txt"), "teachers/abacus-2 teachers/braces-145 teachers/braces-1.5.bin");
  expect(await teacherReferences(folder, TEACHERS)).toEqual([]);
  await writeFile(join(folder, "notes.txt"), "teachers/braces-1.5");
  expect(await teacherReferences(folder, TEACHERS)).toHaveLength(1);
  expect(await teacherReferences(folder, [], ["/srv/models/abacus"])).toEqual([]);
  await writeFile(join(folder, "notes.txt"), "/srv/models/abacus");
  expect(await teacherReferences(folder, [], ["/srv/models/abacus"])).toHaveLength(1);
});

test("weights are numbers, in which no name is looked for, however short; their header is text", async () => {
  const header = JSON.stringify({ w: { dtype: "F32", shape: [40_000], data_offsets: [0, 160_000] } });
  const numbers = Float32Array.from(uniformNumbers(40_000, 0.05, 1, "weights"));
  const short = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
  const write = (head: string) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(head.length));
    return writeFile(
      join(folder, "model.safetensors"),
      Buffer.concat([length, Buffer.from(head), Buffer.from(numbers.buffer)]),
    );
  };
  const inNumbers = short.filter((name) => Buffer.from(numbers.buffer).includes(`/${name}`));
  expect(inNumbers.length).toBeGreaterThan(10);
  await write(header);
  expect(await teacherReferences(folder, short)).toEqual([]);
  await write(header.replace("{", '{"__metadata__":{"from":"teachers/a"},'));
  expect(await teacherReferences(folder, short)).toEqual([{ file: "model.safetensors", teacher: "a" }]);
});

test("a link in a student's folder is refused: it may point at a teacher", async () => {
  await symlink("../teachers/abacus/model.safetensors", join(folder, "model.safetensors"));
  await expect(teacherReferences(folder, TEACHERS)).rejects.toMatchObject({ code: "changed-output" });
});
