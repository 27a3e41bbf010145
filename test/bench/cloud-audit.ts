import { DatabaseSync } from "node:sqlite";
import { openHistory } from "@lockstep/cloud-node";
import type { DeviceTruth } from "./cloud-messages.ts";
import { CLOUD_CHANNELS, CLOUD_FRAME_SAMPLES, type FrameTemplate } from "./cloud-template.ts";

/** What a store holds of a fleet, beside what each device knows. */
export interface CloudAudit {
  /** Frames whose device was told that they are safe, and that are not in the store. Must be 0. */
  readonly confirmedLost: number;
  /** Frames that were sent, and are not in the store. */
  readonly missing: number;
  /** Frames with a value that is not what the device's codec reconstructed. Must be 0. */
  readonly wrong: number;
  readonly frames: number;
}

const ALL = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
const FRAME_CELLS = CLOUD_FRAME_SAMPLES * CLOUD_CHANNELS;

/** Read every device back from a node's store, and compare every value, bit for bit. */
export async function auditStore(
  storeFile: string,
  truths: readonly DeviceTruth[],
  templates: readonly FrameTemplate[],
): Promise<CloudAudit> {
  const history = await openHistory(storeFile);
  try {
    let [confirmedLost, missing, wrong, frames] = [0, 0, 0, 0];
    for (const { device, template, sent, confirmed } of truths) {
      const expected = templates[template]?.values ?? new Float64Array(0);
      let at = 0;
      const differing = new Set<number>();
      for (const { values } of history.rows(device, ALL)) {
        for (const value of values) {
          if (value !== expected[at]) differing.add(Math.floor(at / FRAME_CELLS));
          at += 1;
        }
      }
      const stored = Math.floor(at / FRAME_CELLS);
      frames += stored;
      wrong += differing.size;
      confirmedLost += Math.max(0, confirmed - stored);
      missing += Math.max(0, sent - stored);
    }
    return { confirmedLost, missing, wrong, frames };
  } finally {
    history.close();
  }
}

/** The same of a plain table: a number of frames, whatever is in them. */
export function auditTable(storeFile: string, truths: readonly DeviceTruth[]): CloudAudit {
  const database = new DatabaseSync(storeFile, { readOnly: true });
  const count = database.prepare("SELECT count(*) AS n FROM frames WHERE device = ?");
  let [confirmedLost, missing, frames] = [0, 0, 0];
  for (const { device, sent, confirmed } of truths) {
    const stored = Number(count.get(device)?.n ?? 0);
    frames += stored;
    confirmedLost += Math.max(0, confirmed - stored);
    missing += Math.max(0, sent - stored);
  }
  database.close();
  return { confirmedLost, missing, wrong: 0, frames };
}
