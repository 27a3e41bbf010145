import { existsSync } from "node:fs";
import type { DeviceBook } from "../../access/device-book.ts";
import { CommandError } from "../command-error.ts";

/** Whether a device may speak: its own entry in the book, or that there is none. */
export type Admission = "open" | "added" | "revoked" | "not added";

/** A device as `lockstep devices list` tells it. */
export interface ListedDevice {
  readonly id: string;
  readonly admission: Admission;
  /** It may hand jobs in, and end them. */
  readonly mayUseJobs: boolean;
  readonly boots: number;
  readonly epoch: number;
  /** ISO 8601; null for one that was never born here. */
  readonly lastBirth: string | null;
  readonly gaps: number;
  readonly lostSamples: number;
}

/**
 * Every device that a store or its book knows, by name.
 *
 * @throws {CommandError} `file` when there is neither
 */
export async function listDevices(store: string, book: DeviceBook): Promise<ListedDevice[]> {
  if (!existsSync(store) && book.isOpen) {
    throw new CommandError("file", `no store at ${store}`, "give --store FILE, the one `lockstep serve` writes");
  }
  const heard = new Map(existsSync(store) ? await heardDevices(store) : []);
  const entries = new Map(book.list().map((entry) => [entry.id, entry]));
  const admission = (id: string): Admission => {
    const entry = entries.get(id);
    if (entry === undefined) return book.isOpen ? "open" : "not added";
    return entry.revoked === null ? "added" : "revoked";
  };
  const unheard = { boots: 0, epoch: 0, lastBirth: null, gaps: 0, lostSamples: 0 };
  const ids = [...new Set([...heard.keys(), ...entries.keys()])].sort();
  return ids.map((id) => {
    const mayUseJobs = book.isOpen || book.mayUseJobs(id);
    return { id, admission: admission(id), mayUseJobs, ...(heard.get(id) ?? unheard) };
  });
}

async function heardDevices(store: string): Promise<[string, Omit<ListedDevice, "id" | "admission" | "mayUseJobs">][]> {
  const { openHistory } = await import("../../history/history.ts");
  const history = await openHistory(store);
  try {
    return history.devices().map((id) => {
      const epochs = history.epochs(id);
      const gaps = history.gaps(id);
      const told = {
        boots: epochs.length,
        epoch: epochs.at(-1)?.epoch ?? 0,
        lastBirth: new Date((epochs.at(-1)?.openedUs ?? 0) / 1000).toISOString(),
        gaps: gaps.length,
        lostSamples: gaps.reduce((sum, gap) => sum + gap.samples, 0),
      };
      return [id, told];
    });
  } finally {
    history.close();
  }
}

const COLUMNS = ["id", "admission", "boots", "lastBirth", "gaps", "lostSamples", "jobs"] as const;
const HEADS = {
  ...{ id: "DEVICE", admission: "ADMISSION", boots: "BOOTS", lastBirth: "LAST BIRTH", gaps: "GAPS" },
  ...{ lostSamples: "LOST SAMPLES", jobs: "JOBS" },
};

/** As lines for a person. */
export function deviceTable(devices: readonly ListedDevice[]): string {
  if (devices.length === 0) return "no device has reported yet";
  const rows = devices.map(({ mayUseJobs, lastBirth, ...rest }) => ({
    ...{ ...rest, lastBirth: lastBirth ?? "never", jobs: mayUseJobs ? "yes" : "no" },
  }));
  const lines: Readonly<Record<string, string | number>>[] = [HEADS, ...rows];
  return lines
    .map((row) =>
      COLUMNS.map((column) => {
        const width = Math.max(...lines.map((line) => String(line[column]).length));
        const text = String(row[column]);
        return typeof rows[0]?.[column] === "number" ? text.padStart(width) : text.padEnd(width);
      })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
