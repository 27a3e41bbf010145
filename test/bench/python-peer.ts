import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { BenchError } from "./bench-error.ts";

/**
 * Run a program of `peers/` in Python on one thread, with a plan on its standard input.
 *
 * @param packageName  of `scripts/os-packages.js`: what the program needs
 * @returns what it prints; undefined where that is not installed
 * @throws {BenchError} `no-answer` with what it said
 */
export async function runPython<Answer>(
  packageName: "python3" | "python3-torch",
  program: string,
  plan: object,
): Promise<Answer | undefined> {
  const python = findProgram(osPackage(packageName));
  if (python === undefined) return undefined;
  const file = fileURLToPath(new URL(`peers/${program}`, import.meta.url));
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
  const child = spawn(python, [file], { env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // One that ends early leaves the pipe broken: what it said tells more.
  child.stdin.on("error", () => {});
  child.stdin.end(JSON.stringify(plan));
  const [said, complained, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new BenchError("no-answer", { command: program, said: complained });
  return JSON.parse(said) as Answer;
}
