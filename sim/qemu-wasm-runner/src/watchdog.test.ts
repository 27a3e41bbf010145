import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startWatchdog } from "./watchdog.ts";

/** What is to happen happens at once; a loaded machine may take long. */
const PATIENCE = { timeout: 30_000, interval: 50 };
const LONG_S = "600";

let parent = "";
let child: ChildProcess;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "watchdog-"));
  child = spawn("sleep", [LONG_S]);
});

afterEach(() => {
  child.kill("SIGKILL");
  rmSync(parent, { recursive: true });
});

/** The shells among this process's children. */
function watchdogs(): number[] {
  const pids = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number);
  return pids.filter((pid) => pid > 0 && isRunning(pid) && readFileSync(`/proc/${pid}/comm`, "utf8") === "sh\n");
}

/** A process that has ended may still be listed, as a zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe.skipIf(process.platform !== "linux")("a watchdog", () => {
  test("ends the child of a Node that was killed, removes its folder, and nothing else", async () => {
    const folder = join(parent, "it's a folder");
    const script = `
      const { startWatchdog } = await import(${JSON.stringify(new URL("./watchdog.ts", import.meta.url).href)});
      const { spawn } = await import("node:child_process");
      const { mkdirSync, writeFileSync } = await import("node:fs");
      mkdirSync(process.argv[1]);
      writeFileSync(process.argv[1] + "/file", "");
      const [watched, other] = [spawn("sleep", ["${LONG_S}"]), spawn("sleep", ["${LONG_S}"])];
      startWatchdog(process.argv[1]).over(watched.pid);
      console.log(watched.pid + " " + other.pid);`;
    writeFileSync(join(parent, "kept"), "");
    const node = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [told] = await once(node.stdout, "data");
    const [watched = 0, other = 0] = String(told).trim().split(" ").map(Number);
    expect([isRunning(watched), isRunning(other)]).toEqual([true, true]);
    try {
      node.kill("SIGKILL");
      await vi.waitFor(() => expect(isRunning(watched)).toBe(false), PATIENCE);
      await vi.waitFor(() => expect(readdirSync(parent)).toEqual(["kept"]), PATIENCE);
      expect(isRunning(other)).toBe(true);
    } finally {
      process.kill(other, "SIGKILL");
    }
  });

  test("removes the folder of a Node that was killed before there was a child", async () => {
    const folder = join(parent, "early");
    const script = `
      const { startWatchdog } = await import(${JSON.stringify(new URL("./watchdog.ts", import.meta.url).href)});
      const { mkdirSync } = await import("node:fs");
      mkdirSync(process.argv[1]);
      startWatchdog(process.argv[1]);
      console.log("started");
      setInterval(() => {}, 1000);`;
    const node = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(node.stdout, "data");
    expect(readdirSync(parent)).toEqual(["early"]);
    node.kill("SIGKILL");
    await vi.waitFor(() => expect(readdirSync(parent)).toEqual([]), PATIENCE);
  });

  test.for([true, false])("that is told of the end goes, and touches nothing (a child: %s)", async (hasChild) => {
    const watchdog = startWatchdog(parent);
    if (hasChild) watchdog.over(child.pid ?? 0);
    expect(watchdogs()).toHaveLength(1);
    watchdog.dismiss();
    watchdog.dismiss();
    await vi.waitFor(() => expect(watchdogs()).toEqual([]), PATIENCE);
    expect(isRunning(child.pid ?? 0)).toBe(true);
    expect(readdirSync(parent)).toEqual([]);
  });
});
