import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { build, type Firmware } from "./build.ts";
import { run } from "./run.ts";

const ROOT = mkdtempSync(join(tmpdir(), "build-cache-"));
const EMPTY_MODULE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const MAIN = `#include "core.h"
#include "core-id.h"
#include "beside.h"
#include "deep/far.h"
#include TEXTUAL
void wasm_rt_trap(wasm_rt_trap_t reason) { (void)reason; }
int main(void) { return BESIDE + FAR + PLAIN; }
`;
const HEADERS = ["src/beside.h", "include/deep/far.h", "include/plain.inc"] as const;

afterAll(() => rmSync(ROOT, { recursive: true }));

/** A program with a header beside it, one in a folder below, and one that is no `.h`: its exit code is their sum. */
function ownProgram(name: string): { folder: string; buildOwn: () => Promise<Firmware> } {
  const folder = join(ROOT, name);
  mkdirSync(join(folder, "src"), { recursive: true });
  mkdirSync(join(folder, "include/deep"), { recursive: true });
  writeFileSync(join(folder, "src/main.c"), MAIN);
  writeFileSync(join(folder, "src/beside.h"), "#define BESIDE 1\n");
  writeFileSync(join(folder, "include/deep/far.h"), "#define FAR 2\n");
  writeFileSync(join(folder, "include/plain.inc"), "#define PLAIN 4\n");
  const program = {
    sources: [join(folder, "src/main.c")],
    includes: [join(folder, "include")],
    flags: ['-DTEXTUAL="plain.inc"'],
  };
  const buildOwn = () => build(EMPTY_MODULE, { board: "host", cacheFolder: join(folder, "cache"), program });
  return { folder, buildOwn };
}

test.for(HEADERS)("a program is built again when %s has changed", async (header) => {
  const { folder, buildOwn } = ownProgram(header.replaceAll("/", "-"));
  const first = await buildOwn();
  expect(await run(first)).toMatchObject({ exitCode: 7 });
  expect((await buildOwn()).isCached).toBe(true);
  const name = { "src/beside.h": "BESIDE", "include/deep/far.h": "FAR", "include/plain.inc": "PLAIN" }[header];
  writeFileSync(join(folder, header), `#define ${name} 100\n`);
  const second = await buildOwn();
  expect(second.isCached).toBe(false);
  expect((await run(second)).exitCode).toBeGreaterThan(100);
});

test("a cache folder may have a comma in its name, and its programs their map", async () => {
  const { folder } = ownProgram("one,two");
  const source = join(folder, "main.c");
  writeFileSync(
    source,
    '#include "core.h"\nvoid wasm_rt_trap(wasm_rt_trap_t r) { (void)r; }\nint main(void) { return 3; }\n',
  );
  const program = { sources: [source] };
  const built = await build(EMPTY_MODULE, { board: "host", cacheFolder: join(folder, "c,ache"), program });
  expect(await run(built)).toMatchObject({ exitCode: 3 });
  if (process.platform !== "darwin") expect(built.sizes?.parts?.program.codeBytes).toBeGreaterThan(0);
});

test("a header that went missing is told, and no program from before is given", async () => {
  const { folder, buildOwn } = ownProgram("missing");
  await buildOwn();
  rmSync(join(folder, "src/beside.h"));
  await expect(buildOwn()).rejects.toMatchObject({
    code: "compile-failed",
    facts: { file: "main.c", said: expect.stringContaining("beside.h") },
  });
});

const DAMAGES: readonly (readonly [string, (program: string) => void])[] = [
  ["the program removed", (file) => rmSync(file)],
  ["the program cut to 60 bytes", (file) => truncateSync(file, 60)],
  ["the program cut in the middle", (file) => truncateSync(file, 2000)],
  ["the map removed", (file) => rmSync(join(dirname(file), "program.map"))],
  ["the seal cut", (file) => truncateSync(join(dirname(file), "kept.json"), 5)],
  ["a file in place of the folder", (file) => replaceByFile(dirname(file))],
];

test.for(DAMAGES)("damage to what was kept is mended by a new build: %s", async ([name, damage]) => {
  const { folder, buildOwn } = ownProgram(name.replaceAll(" ", "-"));
  const first = await buildOwn();
  damage(first.file ?? "");
  const second = await buildOwn();
  expect(second).toMatchObject({ isCached: false, file: first.file, sizes: first.sizes });
  expect(await run(second)).toMatchObject({ exitCode: 7 });
  expect((await buildOwn()).isCached).toBe(true);
  expect(readdirSync(join(folder, "cache")).filter((kept) => /damaged|building/.test(kept))).toEqual([]);
});

test("damage to a kept translation is mended too", async () => {
  const { folder, buildOwn } = ownProgram("translation");
  const { file } = await buildOwn();
  const cache = join(folder, "cache");
  const translation = readdirSync(cache).find((name) => name.startsWith("c-")) ?? "";
  truncateSync(join(cache, translation, "core.c"), 100);
  rmSync(dirname(file ?? ""), { recursive: true });
  expect(await run(await buildOwn())).toMatchObject({ exitCode: 7 });
});

function replaceByFile(folder: string): void {
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "");
}
