import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/guides/lookahead.md"), "utf8");

let workplace = "";
beforeEach(() => {
  workplace = mkdtempSync(join(tmpdir(), "lockstep-lookahead-"));
});
afterEach(() => rmSync(workplace, { recursive: true }));

test("the bytes that a lookahead takes are those that the guide's command prints", () => {
  const [, script = ""] = /node -e '\n(.*?)'\n```/s.exec(GUIDE) ?? [];
  const printed = execFileSync(process.execPath, ["-e", script], { cwd: ROOT, encoding: "utf8" });
  const [, table = ""] = /\| channels \| greedy, bytes \|[^\n]*\n\|[^\n]*\n(.*?)\n\n/s.exec(GUIDE) ?? [];
  const rows = table.split("\n").map((row) => (row.match(/[\d,]+/g) ?? []).join(" ").replaceAll(",", ""));
  expect(rows).toHaveLength(3);
  expect(printed.trim().split("\n")).toEqual(rows);
});

test("the first page's example with the guide's lines sends as few bytes as the guide says", () => {
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  const [, lines = ""] = /```ts\n(const wasm = .*?)```/s.exec(GUIDE) ?? [];
  const [, before, after] = /It prints (\d+) bytes instead of (\d+)\./.exec(GUIDE) ?? [];
  const isReplaced = /^const (?:module|timing) = .*\n/gm;
  expect(example.match(isReplaced)).toHaveLength(2);
  const imports = /^import .*\n/gm;
  const rest = example.replace(isReplaced, "").replace(imports, "");
  const head = (example.match(imports) ?? []).join("").replace("compileDeviceModule", "compileGatewayModule");
  // Inside the checkout, so that the packages are found
  const folder = join(ROOT, ".lockstep", "lookahead-guide");
  mkdirSync(folder, { recursive: true });
  try {
    const file = join(folder, "example.mts");
    writeFileSync(file, `${head}${lines}${rest}`);
    const printed = execFileSync(process.execPath, [file], { cwd: workplace, encoding: "utf8", timeout: 60_000 });
    expect(printed).toContain(`${before} bytes for 144000`);
    expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(`${after} bytes for 144000`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
