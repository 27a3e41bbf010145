/** Entry of a process of its own: the node that a benchmark asks. Started with a `CloudHostOrder`. */
import { DatabaseSync } from "node:sqlite";
import { CloudNode, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { openOnSlowDisk } from "@lockstep/cloud-node/fault-testing";
import { connectAsync } from "mqtt";
import type { CloudHostOrder, CloudHostReply, CloudHostRequest, CloudUsage } from "./cloud-messages.ts";
import { plainSeq } from "./plain-cargo.ts";

const LOAD_LOOK_MS = 20;
/** As long as our own node gathers. */
const COMMIT_MS = 10;

/** What a benchmark asks of whoever takes frames in. */
interface Subject {
  readonly port: number;
  /** Frames durable so far, and commits. */
  readonly totals: { frames: number; commits: number };
  readonly commits: Map<string, number[]>;
  usage(): Pick<CloudUsage, "heldMs" | "heldTimes" | "heldSinceMs" | "waitingFrames" | "counters">;
  stop(): Promise<void>;
}

async function openNode(order: CloudHostOrder): Promise<Subject> {
  const { storeFile, brokerUrl, group, threads, slowCommitMs } = order;
  const options = {
    storeFile,
    broker:
      brokerUrl === null
        ? ({ kind: "embedded", port: 0, host: "127.0.0.1" } as const)
        : ({ kind: "external", url: brokerUrl } as const),
    group,
    threads,
    commitMs: COMMIT_MS,
    logger: SILENT_LOGGER,
    clock: systemClock(),
  };
  const node = slowCommitMs > 0 ? await openOnSlowDisk(options, slowCommitMs) : await CloudNode.open(options);
  const totals = { frames: 0, commits: 0 };
  const commits = new Map<string, number[]>();
  node.onCommit((_elapsedMs, frames) => {
    totals.frames += frames;
    totals.commits += 1;
  });
  node.onEvent((event) => {
    if (event.kind !== "confirmed") return;
    const own = commits.get(event.device) ?? [];
    own.push(event.seq, clockMs());
    commits.set(event.device, own);
  });
  let heldSinceMs = 0;
  setInterval(() => {
    if (heldSinceMs === 0 && node.load().causes.length > 0) heldSinceMs = clockMs();
  }, LOAD_LOOK_MS).unref();
  return {
    port: Number(new URL(node.mqttUrl ?? "mqtt://127.0.0.1:0").port),
    totals,
    commits,
    usage: () => {
      const { heldMs, times, waitingFrames } = node.load();
      return { heldMs, heldTimes: times, heldSinceMs, waitingFrames, counters: node.counters() };
    },
    stop: () => node.close(),
  };
}

/** What people write instead: a subscriber with QoS 1 and a session that the broker keeps, and a table. */
async function openPlain({ storeFile, brokerUrl, cargo }: CloudHostOrder): Promise<Subject> {
  const form = cargo === "json" ? "json" : "float32";
  const database = new DatabaseSync(storeFile);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE IF NOT EXISTS frames (device TEXT, seq INTEGER, body BLOB, PRIMARY KEY (device, seq))");
  const insert = database.prepare("INSERT OR IGNORE INTO frames VALUES (?, ?, ?)");
  const totals = { frames: 0, commits: 0 };
  let open: { readonly device: string; readonly seq: number; readonly body: Buffer }[] = [];
  const timer = setInterval(() => {
    if (open.length === 0) return;
    database.exec("BEGIN");
    for (const { device, seq, body } of open) insert.run(device, seq, body);
    database.exec("COMMIT");
    totals.frames += open.length;
    totals.commits += 1;
    open = [];
  }, COMMIT_MS);
  const client = await connectAsync(brokerUrl ?? "", {
    protocolVersion: 4,
    timerVariant: "native",
    clientId: "plain-consumer",
    clean: false,
    reconnectPeriod: 300,
  });
  client.on("message", (topic, body) => {
    open.push({ device: topic.split("/").at(-1) ?? "", seq: plainSeq(form, body), body });
  });
  await client.subscribeAsync("plain/#", { qos: 1 });
  return {
    port: Number(new URL(brokerUrl ?? "mqtt://127.0.0.1:0").port),
    totals,
    commits: new Map(),
    usage: () => ({ heldMs: 0, heldTimes: 0, heldSinceMs: 0, waitingFrames: open.length, counters: {} }),
    stop: async () => {
      await client.endAsync(true);
      clearInterval(timer);
      database.close();
    },
  };
}

function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function reply(message: CloudHostReply): void {
  process.send?.(message);
}

async function main(order: CloudHostOrder): Promise<void> {
  const subject = await (order.cargo === "lockstep" ? openNode(order) : openPlain(order));
  let cpu = process.cpuUsage();
  let sinceMs = clockMs();
  let before = { ...subject.totals };
  process.on("disconnect", () => process.exit());
  process.on("message", (request: CloudHostRequest) => {
    if (request.kind === "usage") {
      const used = process.cpuUsage(cpu);
      const nowMs = clockMs();
      const now = { ...subject.totals };
      reply({
        kind: "usage",
        cpuMs: (used.user + used.system) / 1000,
        wallMs: nowMs - sinceMs,
        rssMB: process.memoryUsage.rss() / 2 ** 20,
        frames: now.frames - before.frames,
        commits: now.commits - before.commits,
        ...subject.usage(),
      });
      [cpu, sinceMs, before] = [process.cpuUsage(), nowMs, now];
    } else if (request.kind === "commits") {
      reply({ kind: "commits", devices: Object.fromEntries(subject.commits) });
      subject.commits.clear();
    } else {
      void subject.stop().then(() => {
        reply({ kind: "stopped" });
        process.disconnect();
      });
    }
  });
  reply({ kind: "ready", port: subject.port });
}

await main(JSON.parse(process.argv[2] ?? "{}") as CloudHostOrder);
