import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ContainerReader } from "./container-reader.ts";
import { frameDigest, GOLDEN_FOLDER, goldenCases } from "./golden.suite.ts";
import { TrajectoryCore } from "./trajectory-core.ts";

test.for(["simd", "scalar"] as const)("the %s build reads every golden container as it always did", async (build) => {
  const names = (await readdir(GOLDEN_FOLDER)).filter((name) => name.endsWith(".lkt"));
  expect(names.length).toBeGreaterThanOrEqual(goldenCases().size);
  for (const name of names) {
    const path = join(GOLDEN_FOLDER, name);
    const expected = JSON.parse(await readFile(path.replace(/lkt$/, "json"), "utf8")) as string[];
    const file = await open(path);
    const reader = await ContainerReader.open(file, name, TrajectoryCore.load(build));
    const digests: string[] = [];
    for await (const frame of reader.read()) digests.push(frameDigest(frame));
    await file.close();
    expect(digests, name).toEqual(expected);
    expect(digests.length).toBeGreaterThan(3);
  }
});
