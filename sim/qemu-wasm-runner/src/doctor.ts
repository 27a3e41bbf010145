import { BOARDS, type BoardName, type ToolName } from "./board.ts";
import { runProcess } from "./process.ts";
import { RunnerError } from "./runner-error.ts";

/** One tool: which boards need it, whether it is here, and what installs it. */
export interface ToolReport {
  readonly name: ToolName;
  readonly boards: readonly BoardName[];
  /** The command that works, null where none does. */
  readonly command: string | null;
  /** Its first line of version, null where there is none. */
  readonly version: string | null;
  /** The line to type on Debian. */
  readonly install: string;
}

const TOOLS: readonly { name: ToolName; commands: readonly string[]; debian: readonly string[] }[] = [
  { name: "c-compiler", commands: ["gcc", "cc", "clang"], debian: ["gcc", "libc6-dev"] },
];

/**
 * What is installed and what is missing.
 *
 * @returns one report per tool; a board can be used when all of its tools have a command
 */
export async function doctor(): Promise<readonly ToolReport[]> {
  return Promise.all(
    TOOLS.map(async ({ name, commands, debian }) => {
      const found = await findCommand(commands);
      return {
        name,
        boards: BOARDS.filter(({ tools }) => tools.includes(name)).map((board) => board.name),
        command: found?.command ?? null,
        version: found?.version ?? null,
        install: `apt-get install -y --no-install-recommends ${debian.join(" ")}`,
      };
    }),
  );
}

/**
 * A tool that works.
 *
 * @throws {RunnerError} `missing-tool`, with the line that installs it
 */
export async function requireTool(name: ToolName): Promise<{ command: string; version: string }> {
  const report = (await doctor()).find((tool) => tool.name === name);
  const { command, version, install } = report ?? { command: null, version: null, install: "" };
  if (command === null || version === null) throw new RunnerError("missing-tool", { tool: name, install });
  return { command, version };
}

async function findCommand(commands: readonly string[]): Promise<{ command: string; version: string } | undefined> {
  for (const command of commands) {
    const version = await runProcess(command, ["--version"]).catch(() => undefined);
    if (version?.exitCode === 0) return { command, version: version.output.toString().split("\n")[0] ?? "" };
  }
  return undefined;
}
