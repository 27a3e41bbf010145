import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeviceAccount, readJournal } from "./ack-journal.ts";
import { freePort } from "./broker-process.ts";
import { LIMIT_MS, ScriptProcess } from "./child-process.ts";
import type {
  FleetHostOrder,
  FleetHostReply,
  FleetHostRequest,
  NodeHostOrder,
  NodeHostReply,
  NodeHostRequest,
} from "./messages.ts";
import { auditStore } from "./store-audit.ts";

/** Kills of a node under a fleet, and what was left. */
export interface FleetKills {
  /** Per kill and device, in ascending order: from the kill to the next confirmed frame, ms. */
  readonly afterMs: readonly (readonly number[])[];
  /** Frames that no ack had covered, at each kill. */
  readonly unacknowledged: readonly number[];
  readonly isDrained: boolean;
  readonly confirmedFrames: number;
  readonly lostFrames: number;
  /** Samples that were in a ring, and are not stored. */
  readonly missingSamples: number;
}

/** kill -9 of a node with its embedded broker under a fleet of one frame a second each, started again at once. */
export async function killUnderFleet(devices: number, kills: number, seed: number): Promise<FleetKills> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-fleet-"));
  const port = await freePort();
  const nodeOrder: NodeHostOrder = {
    storeFile: join(folder, "store.db"),
    broker: { kind: "embedded", port, host: "127.0.0.1" },
    tcpPort: 0,
    lateCommitMs: 0,
  };
  const fleetOrder: FleetHostOrder = { seed, devices, url: `mqtt://127.0.0.1:${port}`, folder };
  const startNode = () => new ScriptProcess<NodeHostRequest, NodeHostReply>("node-host.ts", nodeOrder);
  let node = startNode();
  await node.reply("ready");
  const fleet = new ScriptProcess<FleetHostRequest, FleetHostReply>("fleet-host.ts", fleetOrder);
  try {
    await fleet.reply("ready", 2 * LIMIT_MS);
    const afterMs: (readonly number[])[] = [];
    const unacknowledged: number[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      fleet.send({ kind: "kill", pids: [node.pid] });
      await fleet.reply("killed");
      await node.ended();
      node = startNode();
      await node.reply("ready");
      const recovered = await fleet.reply("recovered");
      afterMs.push(recovered.afterMs);
      unacknowledged.push(recovered.unacknowledged);
    }
    fleet.send({ kind: "drain", limitMs: LIMIT_MS });
    const { isComplete } = await fleet.reply("drained", 2 * LIMIT_MS);
    await Promise.all([fleet.kill(), node.kill()]);
    return {
      afterMs,
      unacknowledged,
      isDrained: isComplete,
      ...(await auditFleet(folder, nodeOrder.storeFile, fleetOrder)),
    };
  } finally {
    await Promise.all([fleet.kill(), node.kill()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function auditFleet(folder: string, storeFile: string, { seed, devices }: FleetHostOrder) {
  const journal = readJournal(join(folder, "journal"));
  const nothing: DeviceAccount = { confirmed: new Map(), framed: [], adopted: [] };
  let [confirmedFrames, lostFrames, missingSamples] = [0, 0, 0];
  for (let index = 0; index < devices; index += 1) {
    const id = `device-${index}`;
    const audit = await auditStore(storeFile, seed, { id, index, url: "" }, journal.get(id) ?? nothing);
    confirmedFrames += audit.confirmedFrames;
    lostFrames += audit.lostFrames;
    missingSamples += audit.missingSamples;
  }
  return { confirmedFrames, lostFrames, missingSamples };
}
