import { existsSync } from "node:fs";
import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import { DEFAULT_STORE_FILE } from "./defaults.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

/** `lockstep devices list`: who has spoken, from the store alone. */
export function addDevices(program: Command, surroundings: Surroundings): void {
  const devices = program.command("devices").summary("the devices in a store").description("The devices in a store.");
  devices
    .command("list")
    .summary("every device, its boots and what it lost")
    .description("List every device that a store knows. Reads only; a node may be running on the store.")
    .option("--store <FILE>", "SQLite file of a node", DEFAULT_STORE_FILE)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep devices list --store lockstep.db")
    .action((options: { store: string; json?: boolean }) => runList(surroundings, options));
}

async function runList(surroundings: Surroundings, options: { store: string; json?: boolean }): Promise<void> {
  if (!existsSync(options.store)) {
    throw new CommandError(
      "file",
      `no store at ${options.store}`,
      "give --store FILE, the one `lockstep serve` writes",
    );
  }
  const { openHistory } = await import("../history/history.ts");
  const history = await openHistory(options.store);
  try {
    const devices = history.devices().map((id) => {
      const epochs = history.epochs(id);
      const gaps = history.gaps(id);
      return {
        id,
        boots: epochs.length,
        epoch: epochs.at(-1)?.epoch ?? 0,
        lastBirth: new Date((epochs.at(-1)?.openedUs ?? 0) / 1000).toISOString(),
        gaps: gaps.length,
        lostSamples: gaps.reduce((sum, gap) => sum + gap.samples, 0),
      };
    });
    await writeResult(surroundings, options.json, { store: options.store, devices }, table(devices));
  } finally {
    history.close();
  }
}

const COLUMNS = ["id", "boots", "lastBirth", "gaps", "lostSamples"] as const;
const HEADS = { id: "DEVICE", boots: "BOOTS", lastBirth: "LAST BIRTH", gaps: "GAPS", lostSamples: "LOST SAMPLES" };

function table(rows: readonly Readonly<Record<(typeof COLUMNS)[number], string | number>>[]): string {
  if (rows.length === 0) return "no device has reported yet";
  const lines: Readonly<Record<string, string | number>>[] = [HEADS, ...rows];
  return lines
    .map((row) =>
      COLUMNS.map((column) => {
        const width = Math.max(...lines.map((line) => String(line[column]).length));
        const text = String(row[column]);
        return typeof rows[0]?.[column] === "number" ? text.padStart(width) : text.padEnd(width);
      }).join("  "),
    )
    .join("\n");
}
