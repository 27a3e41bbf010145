import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LAUNCHER } from "./lockstep-process.ts";

const run = promisify(execFile);
const GUIDES = fileURLToPath(new URL("../../docs/guides", import.meta.url));
/** What a block says its file is called, in its first line. */
const FILE_NAME = /^(?:#|\/\/) (\S+\.\w+)\n/;

const THIN_SPACE = "\u202f";

/** A command that runs in a terminal of its own. */
export interface Terminal {
  /** Wait until what it says matches. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ctrl-C, and its end. @returns everything that it said */
  interrupt(): Promise<string>;
  /** Its end. @returns everything that it said */
  ended(): Promise<string>;
}

/** A guide whose commands are typed as a person would: by a shell, in a folder that nothing else is in. */
export class TypedGuide {
  readonly text: string;
  readonly folder = mkdtempSync(join(tmpdir(), "lockstep-guide-"));
  readonly #programs = mkdtempSync(join(tmpdir(), "lockstep-programs-"));
  readonly #env: NodeJS.ProcessEnv;
  readonly #children: ChildProcess[] = [];

  /**
   * @param name     of the guide, as `twins`
   * @param env      more of the environment
   * @param python   what `python3` is
   */
  constructor(name: string, env: NodeJS.ProcessEnv = {}, python?: string) {
    this.text = readFileSync(join(GUIDES, `${name}.md`), "utf8");
    const programs = {
      node: process.execPath,
      npx: `shift; exec "${process.execPath}" "${LAUNCHER}"`,
      python3: python,
    };
    for (const [program, is] of Object.entries(programs)) {
      if (is === undefined) continue;
      const line = is.startsWith("shift") ? is : `exec "${is}"`;
      writeFileSync(join(this.#programs, program), `#!/bin/sh\n${line} "$@"\n`);
      chmodSync(join(this.#programs, program), 0o755);
    }
    this.#env = { ...process.env, ...env, PATH: `${this.#programs}${delimiter}${process.env.PATH ?? ""}` };
    // Files that the guide shows with their names are there.
    for (const block of this.blocks("js", "python", "yaml")) {
      const [, file] = FILE_NAME.exec(block) ?? [];
      if (file !== undefined) writeFileSync(join(this.folder, file), block);
    }
    mkdirSync(join(this.folder, "results"), { recursive: true });
  }

  /** Every block in one of these languages; those without one are output. */
  blocks(...languages: readonly string[]): string[] {
    const blocks = [...this.text.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
    return blocks.filter(([, language = ""]) => languages.includes(language)).map(([, , text = ""]) => text);
  }

  /** Every command, in its order. */
  get lines(): string[] {
    return this.blocks("sh").flatMap((block) => block.trimEnd().split("\n"));
  }

  /** Type a line, and wait for its end. @returns what it printed @throws unless it ends with exit code 0 */
  async type(line: string): Promise<string> {
    const { stdout, stderr } = await run("sh", ["-c", line], { cwd: this.folder, env: this.#env, encoding: "utf8" });
    return (stdout + stderr).replaceAll(THIN_SPACE, " ");
  }

  /** Type a line in another terminal. */
  open(line: string): Terminal {
    const child = spawn("sh", ["-c", `exec ${line}`], {
      cwd: this.folder,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const ended = once(child, "close").then(() => output);
    const said = async (pattern: RegExp) => {
      for (;;) {
        const found = pattern.exec(output);
        if (found !== null) return found;
        if (child.exitCode !== null) throw new RangeError(`${line} ended without saying ${pattern}: ${output}`);
        await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), ended]);
      }
    };
    const interrupt = () => {
      child.kill("SIGINT");
      return ended;
    };
    return { said, interrupt, ended: () => ended };
  }

  /** End whatever still runs, and delete the folder. */
  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "close");
    }
    for (const folder of [this.folder, this.#programs]) rmSync(folder, { recursive: true });
  }
}
