import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { DistillationError } from "./distillation-error.ts";
import { type GateAnswer, type GateRequest, gateAnswerSchema } from "./gate-messages.ts";
import { digestTree } from "./tree-digest.ts";

/** This file is TypeScript where the sources run, and JavaScript where they were built. */
const ENDING = import.meta.url.endsWith(".ts") ? "ts" : "js";
const PROGRAM = fileURLToPath(new URL(`./gate-program.${ENDING}`, import.meta.url));
const PACKAGE = fileURLToPath(new URL("../../../", import.meta.url)).replace(/[\\/]$/, "");
/** Answers of all benchmarks together. */
const MOST_OUTPUT_BYTES = 256 * 2 ** 20;
/** A network of one's own, in which there is nothing; for a user who may make one. */
const ALONE = ["unshare", "--map-root-user", "--net", "--"];

/**
 * Ask a student in a process of its own, which can read its folder, the benchmarks and this program, nothing else, and reach
 * nobody.
 *
 * @throws {DistillationError} `not-isolated` where the process could read what it must not, `gate-failed` where the student
 * cannot be asked, or something in it looked for what it may not read
 */
export async function askIsolated(request: GateRequest, signal: AbortSignal): Promise<GateAnswer> {
  const given = [request.student, ...Object.values(request.benchmarks)];
  for (const path of given) await refuseLinks(path);
  const data = given.map((path) => realpathSync(path));
  const roots = [...codeRoots(), ...data];
  const exposed = request.former.find((path) => roots.some((root) => isBelow(path, root)));
  if (exposed !== undefined) {
    const problem = `${exposed} lies below what the student's process may read`;
    throw new DistillationError("not-isolated", problem, "run in a folder outside of the program's own");
  }
  const node = [process.execPath, "--permission", ...roots.map((root) => `--allow-fs-read=${root}`), "--no-warnings"];
  const [file = "", ...args] = [...(canBeAlone() ? ALONE : []), ...node, PROGRAM, JSON.stringify(request)];
  const answer = await answerOf(file, args, signal);
  checkAlone(answer, request.former);
  return answer;
}

/** What the process says of itself is what it was to be. @throws {DistillationError} `not-isolated`, `gate-failed` */
export function checkAlone({ files, denied }: GateAnswer, former: readonly string[]): void {
  if (files.length !== former.length || !files.every((found) => found === "denied")) {
    const problem = `the student's process was not kept from ${former.join(", ")}`;
    throw new DistillationError("not-isolated", problem, "run with Node 24");
  }
  if (denied.length > 0) {
    const problem = `the student's process looked for ${[...new Set(denied)].join(", ")}`;
    throw new DistillationError("gate-failed", problem, "a student must need nothing but its own folder");
  }
}

/** Node's permissions are of names: a link below a folder that may be read leads out of it. */
async function refuseLinks(path: string): Promise<void> {
  try {
    await digestTree(path);
  } catch (cause) {
    if (!(cause instanceof DistillationError)) throw cause;
    throw new DistillationError("gate-failed", cause.problem, "a student must need nothing but its own folder", {
      cause,
    });
  }
}

async function answerOf(file: string, args: readonly string[], signal: AbortSignal): Promise<GateAnswer> {
  try {
    const { stdout } = await promisify(execFile)(file, args, { signal, maxBuffer: MOST_OUTPUT_BYTES, env: {} });
    return v.parse(gateAnswerSchema, JSON.parse(stdout));
  } catch (cause) {
    signal.throwIfAborted();
    const said = (cause as { readonly stderr?: string }).stderr ?? "";
    const line = said.split("\n").find((each) => /Error\b/.test(each)) ?? String(cause).split("\n")[0];
    throw new DistillationError("gate-failed", `the student cannot be asked alone: ${line}`, "see its files", {
      cause,
    });
  }
}

/** Whether this user may have a network of its own; asked as it will be done, with nobody's search path. */
function canBeAlone(): boolean {
  const [file = "", ...args] = [...ALONE, "true"];
  return spawnSync(file, args, { stdio: "ignore", env: {} }).status === 0;
}

/** Folders that have the program and the libraries that it needs. */
function codeRoots(): string[] {
  const roots = [PACKAGE];
  for (let above = PACKAGE; above !== dirname(above); above = dirname(above)) {
    const modules = join(above, "node_modules");
    if (existsSync(modules)) roots.push(modules);
    // In a clone, the project's own packages are links to folders beside this one.
    const own = join(modules, "@lockstep");
    if (existsSync(own)) roots.push(...readdirSync(own).map((name) => join(own, name)));
  }
  return [...new Set(roots.map((root) => realpathSync(root)))];
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith(`..${sep}`);
}
