import { spawn } from "node:child_process";
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
  readonly peakRssMB: number;
}

const LAUNCHER = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
const PRELOAD = new URL("peak-memory-at-exit.ts", import.meta.url).href;
const KILOBYTES = 1024;

/**
 * `lockstep trajectory …` as a person starts it, on the first two cores where the system can hold a process to them.
 *
 * @param hasOutput  false: standard output is thrown away
 * @throws {BenchError} `no-answer` when it fails, with what it said
 */
export async function runTrajectory(args: readonly string[], hasOutput = true): Promise<CommandRun> {
  const line = [process.execPath, "--import", PRELOAD, LAUNCHER, "trajectory", ...args];
  const [program = "", ...rest] = process.platform === "linux" ? ["taskset", "-c", "0,1", ...line] : line;
  const begun = performance.now();
  const child = spawn(program, rest, { stdio: ["ignore", hasOutput ? "pipe" : "ignore", "pipe", "pipe"] });
  const peak = text(child.stdio[3] as Readable);
  const outputs = [child.stdout === null ? "" : text(child.stdout), text(child.stderr as Readable), peak] as const;
  const [code] = await once(child, "close");
  const seconds = (performance.now() - begun) / 1e3;
  const [stdout, stderr, kilobytes] = await Promise.all(outputs);
  if (code !== 0) throw new BenchError("no-answer", { command: `lockstep trajectory ${args.join(" ")}`, said: stderr });
  return { stdout, seconds, peakRssMB: Number(kilobytes) / KILOBYTES };
}
