import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../faults/broker-process.ts";
import { requires } from "../os-package.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/guides/securing.md"), "utf8");

/** What the guide says to type, line by line, in order. */
const LINES = [...GUIDE.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = ""]) => block.trim().split("\n"));

requires("openssl")("the guide from an open node to two devices over TLS", () => {
  let folder = "";
  let node: ChildProcess | undefined;
  const ports = new Map<string, number>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-securing-"));
    const launcher = join(ROOT, "cloud-node/bin/lockstep.js");
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/npx"), `#!/bin/sh\nshift\nexec "${process.execPath}" "${launcher}" "$@"\n`);
    chmodSync(join(folder, "bin/npx"), 0o755);
    for (const port of ["1883", "7400"]) ports.set(port, await freePort());
  });
  afterAll(async () => {
    await end();
    rmSync(folder, { recursive: true });
  });

  const environment = () => ({ ...process.env, PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}` });
  /** The same on ports that are free, and without the page, whose port may be taken. */
  const typed = (line: string) =>
    line
      .replace(/localhost:(\d+)/g, (_, port) => `localhost:${ports.get(port)}`)
      .replace("--tcp 7400", `--tcp ${ports.get("7400")}`)
      .replace("lockstep serve", `lockstep serve --mqtt-port ${ports.get("1883")} --json`);

  async function end(): Promise<void> {
    if (node === undefined || node.exitCode !== null) return;
    const gone = once(node, "exit");
    node.kill("SIGINT");
    await gone;
  }

  /** @returns whether it listens */
  async function serve(line: string): Promise<{ listens: boolean; err: string }> {
    await end();
    const child = spawn("sh", ["-c", `exec ${typed(line)}`], { cwd: folder, env: environment() });
    let err = "";
    child.stderr.on("data", (text) => {
      err += text;
    });
    const [first] = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
    const listens = first instanceof Buffer;
    if (listens) node = child;
    return { listens, err };
  }

  test("does what it says, line by line", async () => {
    expect(LINES.length).toBeGreaterThan(12);
    const told: string[] = [];
    for (const line of LINES) {
      if (line.includes("lockstep serve")) {
        const isOpen = line.includes("0.0.0.0") && !line.includes("--tls-cert");
        // The first one is stopped by hand: the guide goes on in its folder.
        const { listens, err } = await serve(line.includes("--no-http") ? line : `${line} --no-http`);
        expect(listens, line).toBe(!isOpen);
        if (isOpen) expect(GUIDE).toContain(err.trim());
        continue;
      }
      const { status, stdout, stderr } = spawnSync("sh", ["-c", typed(line)], {
        ...{ cwd: folder, env: environment(), encoding: "utf8", timeout: 60_000 },
      });
      expect(status, `${line}\n${stdout}${stderr}`).toBe(0);
      told.push(stdout);
    }
    const all = told.join("");
    for (const said of ["from now on only devices that were added may speak", "pump-2 may speak"]) {
      expect(all).toContain(said);
    }
    // Five seconds at 100 Hz are 500 samples, and one more or less by the clock.
    expect(all.match(/^(499|50[01]) samples taken, \1 confirmed/gm)).toHaveLength(2);
    expect(all).toMatch(/^pump-1 +added +1 /m);
    expect(all).toMatch(/^pump-2 +added +0 +never/m);
    expect(all).toContain("pump-1 may not speak any more");
  });
});
