import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { BenchError } from "./bench-error.ts";

/** What a command did. */
export interface CommandRun {
  readonly stdout: string;
  /** Of the whole process, its start included. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMB: number;
}

/** How a command is run. */
export interface CommandOptions {
  /** Otherwise standard output is thrown away; true unless given. */
  readonly hasOutput?: boolean;
  /** In front of the line, such as an emulator, in place of this Node. */
  readonly node?: readonly string[];
  /** Exit codes that are no failure; 0 unless given. */
  readonly codes?: readonly number[];
  /** As soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

const LAUNCHER = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
const PRELOAD = new URL("usage-at-exit.ts", import.meta.url).href;
const KILOBYTES = 1024;

/**
 * `lockstep …` as a person starts it, on the first two cores where the system can hold a process to them.
 *
 * @throws {BenchError} `no-answer` when it fails, with what it said
 */
export async function runLockstep(args: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
  const { hasOutput = true, node = [process.execPath], codes = [0], onStart } = options;
  const line = [...node, "--import", PRELOAD, LAUNCHER, ...args];
  const [program = "", ...rest] = process.platform === "linux" ? ["taskset", "-c", "0,1", ...line] : line;
  const begun = performance.now();
  const child = spawn(program, rest, { stdio: ["ignore", hasOutput ? "pipe" : "ignore", "pipe", "pipe"] });
  onStart?.(child);
  const usage = text(child.stdio[3] as Readable);
  const outputs = [child.stdout === null ? "" : text(child.stdout), text(child.stderr as Readable), usage] as const;
  const [code] = await once(child, "close");
  const seconds = (performance.now() - begun) / 1e3;
  const [stdout, stderr, used] = await Promise.all(outputs);
  if (!codes.includes(code)) throw new BenchError("no-answer", { command: `lockstep ${args.join(" ")}`, said: stderr });
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(used) as NodeJS.ResourceUsage;
  return { stdout, seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakRssMB: maxRSS / KILOBYTES };
}
