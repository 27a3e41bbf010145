/** The cloud node in a process of its own, to be killed. Started by `KillRig` with a `NodeHostOrder`. */
import { flushCompileCache } from "node:module";
import { CloudNode, type CloudNodeOptions, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { openAckingBeforeCommit } from "@lockstep/cloud-node/fault-testing";
import { GROUP, type NodeHostOrder, type NodeHostReply, type NodeHostRequest } from "./messages.ts";

/** Acks in the middle of what gathers, so that at most moments some frames have one and some have none. */
const ACKS = { everyFrames: 8, ageMs: 100 };

async function main(order: NodeHostOrder): Promise<void> {
  const options: CloudNodeOptions = {
    storeFile: order.storeFile,
    broker: order.broker,
    tcpPort: order.tcpPort,
    tcpHost: "127.0.0.1",
    group: GROUP,
    acks: ACKS,
    logger: SILENT_LOGGER,
    clock: systemClock(),
  };
  const node =
    order.lateCommitMs === 0
      ? await CloudNode.open(options)
      : await openAckingBeforeCommit(options, { commitDelayMs: order.lateCommitMs });
  process.on("message", (request: NodeHostRequest) => {
    if (request.kind === "report") reply({ kind: "report", twins: reportOf(node), counters: node.counters() });
  });
  process.on("disconnect", () => process.exit());
  reply({ kind: "ready" });
  // It is killed, and would leave the next one nothing of what it compiled.
  flushCompileCache();
}

function reportOf(node: CloudNode) {
  return node.devices().map(({ id, epoch, confirmed, lost, stateHash }) => ({
    id,
    epoch,
    confirmedSeq: confirmed.seq,
    samples: confirmed.samples,
    lostSamples: lost.samples,
    stateHash,
  }));
}

function reply(message: NodeHostReply): void {
  process.send?.(message);
}

await main(JSON.parse(process.argv[2] ?? "") as NodeHostOrder);
