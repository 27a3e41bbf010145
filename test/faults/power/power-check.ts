import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TwinView } from "@lockstep/cloud-node";
import { seededRandom } from "@lockstep/sim";
import type { StoreAudit } from "../store-audit.ts";
import { storedFrames } from "../stored-frames.ts";
import { TestBed } from "../test-bed.ts";
import { writeImage } from "./disk-image.ts";
import type { CutDisk } from "./power-run.ts";
import {
  BOOT_SAMPLES,
  MARKS,
  POWER_DEVICES,
  POWER_FRAME_SAMPLES,
  RING_BYTES,
  RUN_BOOTS,
  ringOf,
} from "./power-run-order.ts";

/** What a node and its devices make of a disk after a power cut. */
export interface PowerVerdict {
  /** Frames that had been confirmed before the cut. */
  readonly confirmedFrames: number;
  /** Of these, those that are not stored. */
  readonly lostFrames: number;
  /** Everything that is not as it must be, in words; empty when all is well. */
  readonly problems: readonly string[];
  /** How long the node took to open, ms. */
  readonly openMs: number;
}

/** Digests of frames by `DEVICE EPOCH SEQ`, as a store that was never cut has them. */
export type FrameDigests = ReadonlyMap<string, string>;

/**
 * Open what a power cut left with the node's own code, and hold it against what was promised and against the run that
 * was not cut.
 *
 * @param goesOn  then boot the devices with the rings that they are left with, and let them send all that they have
 */
export async function checkCut(
  cut: CutDisk,
  { seed, uncut, goesOn }: { readonly seed: number; readonly uncut: FrameDigests; readonly goesOn: boolean },
): Promise<PowerVerdict> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-power-"));
  writeImage(folder, cut.files);
  writeFileSync(join(folder, MARKS), cut.marks);
  const bed = new TestBed(seed, seededRandom(cut.seed).fork(`cut ${cut.loss} ${cut.after}`), folder);
  const problems: string[] = [];
  try {
    const startMs = performance.now();
    await bed.startNode();
    const openMs = performance.now() - startMs;
    if (goesOn) {
      await sendAll(bed, problems);
      // What a device said right before it was switched off is committed by the close at the latest.
      await bed.node.close();
      await bed.startNode();
    }
    const twins = bed.node.devices();
    await bed.node.close();
    let [confirmedFrames, lostFrames] = [0, 0];
    for (const { id, index } of POWER_DEVICES) {
      const audit = await bed.audit(id, index);
      confirmedFrames += audit.confirmedFrames;
      lostFrames += goesOn ? audit.undeclaredFrames : audit.lostFrames;
      const twin = twins.find((view) => view.id === id);
      problems.push(...auditProblems(audit, twin, goesOn).map((problem) => `${id}: ${problem}`));
    }
    // A boot after the cut has an epoch that had another boot's frames in the run that was not cut.
    if (!goesOn) problems.push(...alterations(bed.storeFile, uncut));
    problems.push(...integrity(bed.storeFile));
    return { confirmedFrames, lostFrames, problems, openMs };
  } catch (error) {
    problems.push(`does not open: ${error instanceof Error ? error.message : String(error)}`);
    return { confirmedFrames: 0, lostFrames: 0, problems, openMs: Number.NaN };
  } finally {
    await bed.close();
  }
}

/** Boot every device again: one more frame each, and all that is in the rings. */
async function sendAll(bed: TestBed, problems: string[]): Promise<void> {
  for (const { id, index } of POWER_DEVICES) {
    const device = await bed.device(id, bed.loopback().transport, {
      index,
      firstSample: RUN_BOOTS * BOOT_SAMPLES,
      frameSamples: POWER_FRAME_SAMPLES,
      ringFile: ringOf(bed.folder, id),
      ringBytes: RING_BYTES,
    });
    device.take(POWER_FRAME_SAMPLES);
    if (!(await device.drain())) problems.push(`${id}: not all of its ring was taken`);
    await device.session.destroy();
  }
}

function auditProblems(audit: StoreAudit, twin: TwinView | undefined, goesOn: boolean): string[] {
  const { lostFrames, missingSamples, inventedSamples, gaps, maxErrorOverEps, reference } = audit;
  const { undeclaredFrames, declaredSamples } = audit;
  const newest = reference.at(-1);
  const badSeals = reference.reduce((sum, epoch) => sum + epoch.badSeals, 0);
  const holes = reference.filter(({ seqs, next }) => seqs.size !== next).length;
  // A boot whose first frame was in the ring, and not yet in its account, counts on from there: it declares a number of
  // its epoch that no frame ever had, and no sample.
  const isLost = goesOn ? undeclaredFrames > 0 : lostFrames > 0;
  const isInStep =
    newest === undefined ||
    // The reference ends at a hole.
    newest.seqs.size !== newest.next ||
    (twin?.epoch === newest.epoch && twin.confirmed.seq === newest.next && twin.stateHash === newest.stateHash);
  return [
    ...(isLost ? [`${lostFrames} confirmed frames are lost`] : []),
    // What was in a synchronized ring, or in the store, must be in the store in the end.
    ...(goesOn && missingSamples > 0 ? [`${missingSamples} samples of its ring are missing`] : []),
    ...(inventedSamples > 0 ? [`${inventedSamples} samples were never taken`] : []),
    ...((goesOn ? declaredSamples > 0 : gaps > 0) ? [`${gaps} gaps of ${declaredSamples} samples`] : []),
    ...(maxErrorOverEps > 1 ? [`off by ${maxErrorOverEps} eps`] : []),
    ...(badSeals > 0 ? [`${badSeals} frames do not decode to what their device had`] : []),
    ...(holes > 0 && !goesOn ? [`holes in ${holes} epochs`] : []),
    ...(isInStep
      ? []
      : [`twin at ${twin?.epoch}/${twin?.confirmed.seq}, reference at ${newest?.epoch}/${newest?.next}`]),
  ];
}

function alterations(storeFile: string, uncut: FrameDigests): string[] {
  return [...readDigests(storeFile)]
    .filter(([frame, digest]) => uncut.get(frame) !== digest)
    .map(([frame]) => `frame ${frame} is not what it was`);
}

function integrity(storeFile: string): string[] {
  const database = new DatabaseSync(storeFile, { readOnly: true });
  try {
    const verdict = String(database.prepare("PRAGMA integrity_check").get()?.integrity_check);
    return verdict === "ok" ? [] : [`SQLite: ${verdict}`];
  } finally {
    database.close();
  }
}

/** Every frame of a store that nobody writes to. */
export function readDigests(storeFile: string): FrameDigests {
  const digests = new Map<string, string>();
  const database = new DatabaseSync(storeFile, { readOnly: true });
  try {
    const epochs = database.prepare("SELECT key, id, epoch FROM devices JOIN epochs ON device = key").all();
    for (const { key, id, epoch } of epochs) {
      for (const { seq, bytes } of storedFrames(database, Number(key), Number(epoch))) {
        digests.set(`${id} ${epoch} ${seq}`, createHash("sha256").update(bytes).digest("hex"));
      }
    }
    return digests;
  } finally {
    database.close();
  }
}
