import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
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

interface Tool {
  readonly name: ToolName;
  /** Any of these will do. */
  readonly commands: readonly string[];
  readonly debian: readonly string[];
}

const TOOLS: readonly Tool[] = [
  { name: "c-compiler", commands: ["gcc", "cc", "clang"], debian: ["gcc", "libc6-dev"] },
  {
    name: "gcc-aarch64",
    commands: ["aarch64-linux-gnu-gcc"],
    debian: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
  },
  { name: "qemu-aarch64", commands: ["qemu-aarch64", "qemu-aarch64-static"], debian: ["qemu-user"] },
  {
    name: "gcc-armhf",
    commands: ["arm-linux-gnueabihf-gcc"],
    debian: ["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
  },
  { name: "qemu-arm", commands: ["qemu-arm", "qemu-arm-static"], debian: ["qemu-user"] },
  {
    name: "gcc-arm-none-eabi",
    commands: ["arm-none-eabi-gcc"],
    debian: ["gcc-arm-none-eabi", "binutils-arm-none-eabi"],
  },
  { name: "qemu-system-arm", commands: ["qemu-system-arm"], debian: ["qemu-system-arm"] },
  {
    name: "gcc-riscv64-unknown-elf",
    commands: ["riscv64-unknown-elf-gcc"],
    debian: ["gcc-riscv64-unknown-elf", "binutils-riscv64-unknown-elf"],
  },
  { name: "qemu-system-riscv32", commands: ["qemu-system-riscv32"], debian: ["qemu-system-misc"] },
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
        install: installLine(debian),
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
  const tool = TOOLS.find((one) => one.name === name);
  const found = await findCommand(tool?.commands ?? []);
  if (found === undefined)
    throw new RunnerError("missing-tool", { tool: name, install: installLine(tool?.debian ?? []) });
  return found;
}

/**
 * Where the path has a tool; it is not started.
 *
 * @throws {RunnerError} `missing-tool`, with the line that installs it
 */
export function locateTool(name: ToolName, path = process.env.PATH ?? ""): string {
  const { commands = [], debian = [] } = TOOLS.find((one) => one.name === name) ?? {};
  const files = commands.flatMap((command) => path.split(delimiter).map((folder) => join(folder, command)));
  const found = files.find(isExecutable);
  if (found === undefined) throw new RunnerError("missing-tool", { tool: name, install: installLine(debian) });
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installLine(debian: readonly string[]): string {
  return `apt-get install -y --no-install-recommends ${debian.join(" ")}`;
}

async function findCommand(commands: readonly string[]): Promise<{ command: string; version: string } | undefined> {
  for (const command of commands) {
    const version = await runProcess(command, ["--version"]).catch(() => undefined);
    if (version?.exitCode === 0) return { command, version: version.output.toString().split("\n")[0] ?? "" };
  }
  return undefined;
}
