import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openHistory } from "@lockstep/cloud-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";
import { PseudoLine } from "./pseudo-line.ts";

const LIMIT_MS = 180_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/guides/flashing.md"), "utf8");
const LAUNCHER = join(ROOT, "cloud-node/bin/lockstep.js");
const DEVICE_WASM = join(ROOT, "edge-sdk/build/device.wasm");
const run = promisify(execFile);

let folder = "";
const started: LockstepProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-flashing-"));
});

afterEach(async () => {
  for (const process of started.splice(0)) {
    process.child.kill("SIGKILL");
    await process.finished();
  }
  rmSync(folder, { recursive: true });
});

function start(...args: string[]): LockstepProcess {
  const process = new LockstepProcess(...args);
  started.push(process);
  return process;
}

interface Places {
  readonly http: string;
  readonly mqtt: string;
}

/** A node, and where it listens. */
async function serve(...more: string[]): Promise<Places> {
  const node = start("serve", "--http", "0", "--mqtt-port", "0", "--store", join(folder, "lockstep.db"), ...more);
  return JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as Places;
}

/** Wait until a device is born, and live. */
async function live(http: string, device: string): Promise<void> {
  for (let state = ""; state !== "live"; ) {
    const answer = await fetch(`${http}/api/v1/devices/${device}/twin`);
    state = ((await answer.json()) as { state?: string }).state ?? "";
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe("the guide to flashing", () => {
  test(
    "every command of it runs in its order, and ends as it says",
    async () => {
      const blocks = [...GUIDE.matchAll(/```sh\n(.*?)```/gs)].map(([, text = ""]) => text);
      const lines = blocks.flatMap((block) => block.trim().split("\n"));
      expect(lines.length).toBeGreaterThanOrEqual(10);
      let places: Places = { http: "", mqtt: "" };
      let device: LockstepProcess | undefined;
      for (const line of lines) {
        const words = line.replace(/^npx lockstep /, "").replaceAll("edge-sdk/build/device.wasm", DEVICE_WASM);
        if (words.startsWith("serve ")) {
          places = await serve();
        } else if (words.startsWith("sim ")) {
          const args = words
            .replace("mqtt://localhost:1883", places.mqtt)
            .replace("release.key.pub", join(folder, "release.key.pub"));
          device = start(...args.split(" "));
          await live(places.http, "rotor-1");
        } else {
          const node = words.startsWith("flash") ? ` --node ${places.http}` : "";
          const [command = "", rest = ""] = words.split(" || ");
          const text = `${process.execPath} ${LAUNCHER} ${command}${node}${rest === "" ? "" : ` || ${rest}`}`;
          const { stdout } = await run("sh", ["-c", text], { cwd: folder, encoding: "utf8" });
          if (line.includes("--version") && !line.includes("--dry-run")) {
            expect(stdout, line).toMatch(/update [0-9a-f]{16} to 1\.[12]\.0: done, 1 device done\nrotor-1 {2}done/);
          }
        }
      }
      const [shown = ""] = /update [0-9a-f]{16} to .*\nrotor-1 .*/.exec(GUIDE) ?? [];
      expect(shown).toContain("it runs the new one, and has confirmed it");
      device?.child.kill("SIGINT");
      const { code, stdout } = (await device?.finished()) ?? { code: -1, stdout: "" };
      const [, taken, confirmed] = /^(\d+) samples taken, (\d+) confirmed/.exec(stdout) ?? [];
      expect([code, confirmed]).toEqual([0, taken]);
    },
    LIMIT_MS,
  );
});

requires("socat")("a device at the end of a serial line", () => {
  test(
    "is given three modules one after the other while it streams, and loses nothing",
    async () => {
      const line = new PseudoLine(folder);
      await line.plugIn();
      try {
        const [key, store] = [join(folder, "release.key"), join(folder, "lockstep.db")];
        await runLockstep("keys", "new", key);
        await runLockstep("keys", "trust", `${key}.pub`, "--store", store);
        const { http } = await serve("--serial", line.cloudPath);
        const to = `serial:${line.devicePath}`;
        const device = start(
          ...["sim", "rotor", "--to", to, "--trust", `${key}.pub`, "--frame-samples", "20", "--json"],
        );
        await live(http, "rotor-1");
        const wasm = new Uint8Array(readFileSync(DEVICE_WASM));
        for (const n of [1, 2, 3]) {
          const module = join(folder, `${n}.wasm`);
          // Another codec, as another build would have it: a number at the end of its tables differs.
          writeFileSync(
            module,
            wasm.map((byte, at) => (at === wasm.length - 2 ? byte ^ n : byte)),
          );
          const about = ["--to", "rotor-1", "--key", key, "--version", `1.0.${n}`, "--node", http];
          const { code, stdout, stderr } = await runLockstep("flash", module, ...about, "--json");
          expect(code, stderr).toBe(0);
          expect(JSON.parse(stdout).update).toMatchObject({ state: "done", version: `1.0.${n}` });
        }
        device.child.kill("SIGINT");
        const { stdout } = await device.finished();
        const { total } = JSON.parse(stdout) as { total: { samples: number; confirmed: number; evicted: number } };
        expect(total.samples).toBeGreaterThan(500);
        expect(total).toMatchObject({ confirmed: total.samples, evicted: 0, unconfirmedFrames: 0 });
        const history = await openHistory(store);
        expect(history.gaps("rotor-1")).toEqual([]);
        expect(history.epochs("rotor-1")).toHaveLength(4);
        expect([...history.samples("rotor-1")]).toHaveLength(total.samples);
        history.close();
      } finally {
        await line.unplug();
      }
    },
    LIMIT_MS,
  );
});
