import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { Lookahead } from "@lockstep/edge-sdk";
import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { parseSeed } from "../option-values.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { lookaheadOption } from "./device-options.ts";

interface RunOptions {
  readonly seed?: number;
  readonly lookahead?: Lookahead;
  readonly json?: boolean;
}

const HELP = `
SCENARIO is a YAML file with devices, signals, links with faults, events and what must hold, or the name of one that
comes along: lossy-uplink, power-cut, long-offline, thousand-devices, firmware-rotor. The cloud node runs in a process of
its own. At the end its store is opened again and compared with what the devices measured.

A device may be firmware under QEMU, at a serial line of the node, from a clone of the repository:
  devices: [{ id: rotor-m4, firmware: rotor-twin, board: mps2-an386, noise: { everyBytes: 1500 } }]
Boards: cortex-m0, mps2-an385, mps2-an386, mps2-an500, netduinoplus2, riscv32-virt. What is not installed is named, with
the line that installs it. Ctrl-C ends QEMU too.

Exit code 0: everything held; 1: something did not, and which.

Examples:
  $ lockstep sim run lossy-uplink
  $ lockstep sim run lossy-uplink --lookahead programme
  $ lockstep sim run firmware-rotor
  $ lockstep sim run mine.yaml --json`;

/** `lockstep sim run`: a scenario, and whether it held. */
export function addSimRun(sim: Command, surroundings: Surroundings): void {
  sim
    .command("run")
    .summary("a scenario with faults, and what must hold")
    .description("Run a scenario, and check what it says must hold.")
    .argument("<SCENARIO>", "YAML file, or the name of one that comes along")
    .option("--seed <NUMBER>", "another seed than the scenario's own", parseSeed)
    .addOption(lookaheadOption("another one, for every device, than the scenario's own"))
    .option("--json", "one JSON object on standard output at the end")
    .addHelpText("after", HELP)
    .action((scenario: string, options: RunOptions) => run(surroundings, scenario, options));
}

async function run(surroundings: Surroundings, file: string, options: RunOptions): Promise<void> {
  const { loadScenario, runScenario, ScenarioError } = await import("@lockstep/sim");
  const { shippedDevices } = await import("../device-module.ts");
  const { ServeProcess } = await import("./serve-process.ts");
  const { clock, interrupt, stderr } = surroundings;
  let scenario: ReturnType<typeof loadScenario>;
  try {
    scenario = loadScenario(file);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new CommandError("usage", error.message, "", { cause: error });
  }
  const { seed = scenario.seed, lookahead } = options;
  const devices = scenario.devices.map((device) =>
    lookahead === undefined || device.firmware !== undefined ? device : { ...device, lookahead },
  );
  const folder = await mkdtemp(join(tmpdir(), "lockstep-sim-"));
  const node = new ServeProcess(folder);
  try {
    const report = await orInterrupted(
      runScenario(
        { ...scenario, seed, devices },
        {
          node,
          ...shippedDevices(),
          clock,
          folder,
          cacheFolder: join(homedir(), ".cache", "qemu-wasm-runner"),
          onProgress: ({ atS, text }) => stderr.write(`${atS.toFixed(1).padStart(6)} s  ${text}\n`),
        },
      ),
      interrupt,
    );
    const lines = report.checks.map(
      ({ name, held, found, expected }) => `${held ? "held  " : "BROKEN"}  ${name}: ${found} (${expected})`,
    );
    await writeResult(surroundings, options.json, report, lines.join("\n"));
    if (report.held) return;
    const broken = report.checks.filter(({ held }) => !held).map(({ name, found }) => `${name}: ${found}`);
    throw new CommandError("expectation-failed", `${scenario.name} did not hold: ${broken.join("; ")}`, "");
  } finally {
    await node.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A scenario has no middle in which it could stop in good order: Ctrl-C ends it, and its processes with it. */
function orInterrupted<Result>(work: Promise<Result>, interrupt: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new CommandError("interrupted", "stopped; nothing was checked", ""));
    interrupt.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => interrupt.removeEventListener("abort", stop));
  });
}
