import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

/** `lockstep doctor`: what is installed, what is missing, the line that installs it. */
export function addDoctor(program: Command, surroundings: Surroundings): void {
  program
    .command("doctor")
    .summary("what is installed, what is missing, the line that installs it")
    .description("Look at everything that Lockstep needs on this machine, and say how to get what is missing.")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep doctor")
    .action((options: { json?: boolean }) => runDoctor(surroundings, options.json));
}

async function runDoctor(surroundings: Surroundings, isJson: boolean | undefined): Promise<void> {
  const { examine } = await import("./doctor/examine.ts");
  const findings = await examine();
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, state, found, remedy }) => {
    const line = `${MARKS[state]} ${name.padEnd(width)}  ${found}`;
    return remedy === "" ? line : `${line}\n  ${" ".repeat(width)}  ${remedy}`;
  });
  const missing = findings.filter(({ state }) => state === "missing");
  await writeResult(surroundings, isJson, { ok: missing.length === 0, findings }, lines.join("\n"));
  if (missing.length === 0) return;
  throw new CommandError(
    "missing-part",
    `${missing.map(({ name }) => name).join(", ")} missing`,
    "do what is said above",
  );
}

const MARKS = { ok: "ok     ", optional: "without", missing: "MISSING" } as const;
