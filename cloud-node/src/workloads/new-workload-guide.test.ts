import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../jobs/job.ts";
import { WorkerRig } from "../jobs/worker-rig.suite.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/guides/new-workload.md"), "utf8");
const REGISTRY = "cloud-node/src/cli/workloads.ts";
const MOST_LINES = 60;

let tree = "";
let rig: WorkerRig;
beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), "lockstep-guide-"));
  const [path, code] = printed("file");
  put(path, code);
  const [registry, line] = printed("line");
  const before = readFileSync(join(ROOT, registry), "utf8");
  put(registry, before.replace(/(WORKLOADS: WorkloadRegistry = \{\n)/, `$1${line}`));
  symlinkSync(join(ROOT, "cloud-node/src/jobs"), join(tree, "cloud-node/src/jobs"));
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  writeFileSync(join(tree, "package.json"), '{ "type": "module" }');
  rig = await WorkerRig.open();
  await rig.worker({ registry: pathToFileURL(join(tree, registry)).href, workloads: ["extremes"], graceMs: 20_000 });
});
afterAll(async () => {
  await rig.close();
  rmSync(tree, { recursive: true });
});

/** A block of the guide, and the file that it names. */
function printed(kind: "file" | "line"): readonly [string, string] {
  const [, path = "", code = ""] =
    new RegExp(`<!-- ${kind}: (\\S+) -->\n\`\`\`ts\n([\\s\\S]*?)\`\`\``).exec(GUIDE) ?? [];
  return [path, code];
}

function put(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

async function extremes(params: JsonObject, csv: string, salt = "") {
  return await rig.run("extremes", params, { inputs: [{ name: "drive.csv", ...rig.blobs.add(csv) }], salt });
}

test("the guide's workload is at most sixty lines, and one of registration", () => {
  expect(printed("line")[0]).toBe(REGISTRY);
  expect(printed("line")[1].trimEnd().split("\n")).toHaveLength(1);
  const lines = printed("file")[1].trimEnd().split("\n").length;
  expect(lines).toBeGreaterThan(20);
  expect(lines).toBeLessThanOrEqual(MOST_LINES);
});

test("the guide's workload runs as it is printed", async () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => `${i},${((i * 7919) % 50_000) - 100}`);
  const job = await extremes({ column: "ax" }, `t,ax\n${rows.join("\n")}\n`);
  expect(job).toMatchObject({ state: "done", result: { value: { rows: 50_000, least: -100, most: 49_899 } } });
  const [output] = job.result?.outputs ?? [];
  expect(output?.name).toBe("extremes.json");
  if (output !== undefined) expect(JSON.parse(String(rig.blobs.bytes(output)))).toEqual(job.result?.value);
  expect(job.progress).toMatchObject({ fraction: 1, note: "50000 rows" });
});

test.each([
  ["without an end of its last line", "t,ax\n1,-7\n2,3\n3,9"],
  ["with cells that are empty", "t,ax\n1,9\n2,\n3,-7\n"],
  ["with lines that end as on Windows", "t,ax\r\n1,-7\r\n2,\r\n3,9\r\n"],
])("it counts all rows of a file %s, and no value that is not there", async (_, csv) => {
  expect(await extremes({ column: "ax" }, csv)).toMatchObject({
    state: "done",
    result: { value: { rows: 3, least: -7, most: 9 } },
  });
});

test("a cell that is no number is refused with its row", async () => {
  const job = await extremes({ column: "ax" }, "ax\n1\nlots\n");
  expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-input" } });
  expect(job.error?.message).toContain('row 2 has "lots"');
});

test("it goes on where an attempt before left off", async () => {
  const other = await WorkerRig.open();
  const input = { name: "drive.csv", ...other.blobs.add("ax\n1\n2\n3\n") };
  const id = await other.submit("extremes", { column: "ax" }, { inputs: [input] });
  const lease = await other.queue.claim(["extremes"], "another");
  await lease?.checkpoint(other.blobs.add(JSON.stringify({ rows: 2, least: -5, most: 2 })));
  await lease?.release();
  await other.worker({ registry: pathToFileURL(join(tree, REGISTRY)).href, workloads: ["extremes"] });
  expect(await other.queue.ended(id)).toMatchObject({ result: { value: { rows: 3, least: -5, most: 3 } } });
  await other.close();
});

test.for([
  [{ column: "" }, "extremes, column: Invalid length"],
  [{ columns: "ax" }, "Invalid key"],
  [{ column: "bx" }, "column: drive.csv has no bx"],
] as const)("it refuses %o with the field's name", async ([params, part]) => {
  const job = await extremes(params, "t,ax");
  expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-params" } });
  expect(job.error?.message).toContain(part);
});
