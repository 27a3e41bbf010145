import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openOnnxRuntime } from "./onnx-runtime.ts";

const folder = mkdtempSync(join(tmpdir(), "lockstep-onnxruntime-"));
const url = pathToFileURL(`${folder}/`);
afterAll(() => rmSync(folder, { recursive: true }));

test("where the package is not installed, the error says what to type: in an installed package, and in a clone", () => {
  const ofClone = readFileSync(new URL("../../../onnxruntime/package.json", import.meta.url), "utf8");
  const version: string = JSON.parse(ofClone).dependencies["onnxruntime-node"];
  expect(() => openOnnxRuntime(url)).toThrow(
    `not installed: type npm install onnxruntime-node@${version} --ignore-scripts`,
  );
  writeFileSync(join(folder, "package.json"), ofClone);
  expect(() => openOnnxRuntime(url)).toThrow(/not installed: type npm run onnxruntime/);
  expect(() => openOnnxRuntime(url)).toThrow(expect.objectContaining({ code: "no-onnxruntime" }));
});

test("a package without a binary for this platform is another error, and keeps its cause", () => {
  const inside = join(folder, "node_modules", "onnxruntime-node");
  mkdirSync(inside, { recursive: true });
  writeFileSync(join(inside, "index.js"), 'require("./bin/onnxruntime_binding.node");');
  const cause = expect.objectContaining({ code: "MODULE_NOT_FOUND" });
  expect(() => openOnnxRuntime(url)).toThrow(expect.objectContaining({ code: "no-onnxruntime", cause }));
  expect(() => openOnnxRuntime(url)).toThrow(/does not load on/);
});

test("a Node that cannot hand over shared memory is told so", () => {
  for (const version of ["22.20.0", "24.8.0"]) {
    expect(() => openOnnxRuntime(url, version)).toThrow(/needs Node 24\.9, and this is 2/);
  }
});
