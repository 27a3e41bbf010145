import { type DeviceAccount, readJournal } from "./ack-journal.ts";
import { type Kill, KillRig, type KillRigOptions, type Victim } from "./kill-rig.ts";
import type { DeviceHostReply, TwinReport } from "./messages.ts";
import { auditStore, type StoreAudit } from "./store-audit.ts";

/** What is left after a series of kills. */
export interface KillSeries {
  readonly victim: Victim;
  readonly kills: readonly Kill[];
  readonly drained: Extract<DeviceHostReply, { kind: "drained" }>;
  /** Of the node that took the last frame, and of one that knows only the store. */
  readonly live: readonly TwinReport[];
  readonly rebuilt: readonly TwinReport[];
  readonly audits: readonly StoreAudit[];
}

/** Kill so many times, let everything settle, and look at what the store holds. */
export function runKillSeries(victim: Victim, count: number, options: KillRigOptions): Promise<KillSeries> {
  return runSeries(victim, options, async (rig) => {
    const kills: Kill[] = [];
    for (let i = 0; i < count; i += 1) kills.push(await rig.kill(victim));
    return kills;
  });
}

/** Do to a rig whatever a test does, let everything settle, and look at what the store holds. */
export async function runSeries(
  victim: Victim,
  options: KillRigOptions,
  hurt: (rig: KillRig) => Promise<readonly Kill[]>,
): Promise<KillSeries> {
  const rig = await KillRig.start(options);
  try {
    const kills = await hurt(rig);
    const drained = await rig.drain();
    const live = await rig.report();
    const rebuilt = await rig.reportAfterRestart();
    await rig.stop();
    const journal = readJournal(rig.journalFile);
    const nothing: DeviceAccount = { confirmed: new Map(), framed: [], adopted: [] };
    const audits = await Promise.all(
      rig.devices.map((device) => auditStore(rig.storeFile, options.seed, device, journal.get(device.id) ?? nothing)),
    );
    return { victim, kills, drained, live, rebuilt, audits };
  } finally {
    await rig.stop();
    rig.remove();
  }
}

/** The series in one line, with what a test may not judge: how long recovery took. */
export function describeSeries({ victim, kills, audits }: KillSeries): string {
  const total = (of: (audit: StoreAudit) => number) => audits.reduce((sum, audit) => sum + of(audit), 0);
  const recoveries = kills.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b);
  const at = (place: number) => Math.round(recoveries.at(place) ?? 0);
  const least = Math.min(...kills.map(({ unacknowledged }) => unacknowledged));
  return [
    ...(kills.length === 0
      ? []
      : [`${kills.length} kills of ${victim}, at least ${least} frames unacknowledged at each`]),
    `${total(({ confirmedFrames }) => confirmedFrames)} frames confirmed, ${total(({ lostFrames }) => lostFrames)} of them lost`,
    `${total(({ framedSamples }) => framedSamples)} samples in rings, ${total(({ missingSamples }) => missingSamples)} missing`,
    ...(kills.length === 0 ? [] : [`recovery median ${at(recoveries.length >> 1)} ms, longest ${at(-1)} ms`]),
  ].join("; ");
}
