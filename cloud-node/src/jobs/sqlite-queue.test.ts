import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import type { JobProgress } from "./job.ts";
import { jobQueueSuite } from "./job-queue.suite.ts";
import { DEFAULT_PACE } from "./job-steps.ts";
import { ABSENT, codeOf, type QueueRig, spec, take } from "./queue-rig.suite.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

const LOOK_MS = 200;
const RESULT = { value: {}, outputs: [] };

jobQueueSuite("a queue in a SQLite file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-queue-"));
  return rigOf(join(folder, "node.db.jobs"), new ManualClock(), () => rmSync(folder, { recursive: true }));
});

function rigOf(file: string, clock: ManualClock, close = () => {}): QueueRig {
  const { leaseMs, backOffMs } = DEFAULT_PACE;
  // So that the thread has answered before it is asked again.
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    open: () => SqliteQueue.open(file, { clock }),
    passLease: async (part) => clock.advance(leaseMs * part),
    passBackOff: async (attempt) => clock.advance(backOffMs * 2 ** (attempt - 2)),
    pass: async () => {
      clock.advance(LOOK_MS + 1);
      await turn();
    },
    close: async () => close(),
  };
}

describe("a queue's file", () => {
  let folder: string;
  let file: string;
  let clock: ManualClock;
  let queues: SqliteQueue[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-queue-"));
    file = join(folder, "node.db.jobs");
    clock = new ManualClock();
    queues = [];
  });
  afterEach(async () => {
    for (const queue of queues) await queue.close();
    rmSync(folder, { recursive: true });
  });
  const open = async (maxPages?: number) => {
    const queue = await SqliteQueue.open(file, { clock, maxPages });
    queues.push(queue);
    return queue;
  };

  test("refuses what it can make nothing of alone, and not what others ask meanwhile", async () => {
    const queue = await open();
    await queue.submit(spec());
    const lease = await queue.claim(["toy"], "w");
    const nonsense = { fraction: 0.5, note: undefined, metrics: {} } as unknown as JobProgress;
    const asked = [
      queue.submit(spec()),
      lease?.extend(nonsense) ?? expect.fail("there is one"),
      queue.list({ limit: 10 }),
    ];
    expect(await Promise.all(asked.map((it) => codeOf(it)))).toEqual([undefined, "failed", undefined]);
    expect(await lease?.extend({ fraction: 0.5, note: "", metrics: {} })).toBe("held");
    expect(await queue.list({ limit: 10 })).toHaveLength(2);
  });

  test("of a newer release, or of something else, is refused and left as it is", async () => {
    await (await open()).close();
    const raw = new DatabaseSync(file);
    raw.exec("PRAGMA user_version = 99");
    raw.close();
    const before = readFileSync(file);
    expect(await codeOf(open())).toBe("queue-version");
    expect(readFileSync(file).equals(before)).toBe(true);
    for (const [name, make] of [
      ["a store", () => new DatabaseSync(file).exec("CREATE TABLE store (version INTEGER)")],
      ["text", () => writeFileSync(file, "no database at all, but longer than its header would be\n".repeat(20))],
      ["half of a queue", () => writeFileSync(file, before.subarray(0, 700))],
    ] as const) {
      rmSync(file);
      make();
      const was = readFileSync(file);
      expect(await codeOf(open()), name).toBe("bad-queue");
      expect(readFileSync(file).equals(was), name).toBe(true);
    }
    file = join(folder, "no such folder", "jobs");
    expect(await codeOf(open())).toBe("queue-away");
  });

  test("keeps what it has when there is no room for more, and takes more when there is again", async () => {
    const queue = await open(40);
    const large = () => ({ ...spec(), params: { ...spec().params, text: "x".repeat(20_000) } });
    const first = (await queue.submit(large())).job;
    await queue.cancel(first.id);
    const kept = [first.id];
    let code: string | undefined;
    while (code === undefined && kept.length < 100) {
      code = await codeOf(queue.submit(large()).then(({ job }) => kept.push(job.id)));
    }
    expect(code).toBe("disk-full");
    expect(kept.length).toBeGreaterThan(1);
    expect((await queue.list({ limit: 1_000 })).map(({ id }) => id).toSorted()).toEqual(kept.toSorted());
    expect(await queue.prune(clock.unixUs() / 1_000 + 1)).toEqual([first.id]);
    expect((await queue.submit(large())).isNew).toBe(true);
  });

  test("that cannot be written for a while is said to be away, and nothing is lost of what was said to be done", async () => {
    const queue = await open();
    const { job } = await queue.submit(spec());
    const lease = await take(rigOf(file, clock), queue);
    // Another process that keeps the right to write for longer than anybody waits.
    const raw = new DatabaseSync(file);
    raw.exec("BEGIN IMMEDIATE");
    const late = codeOf(lease.done(RESULT));
    // Those who only ask wait for nobody who writes, once the question before is answered.
    expect(await late).toBe("queue-away");
    expect((await queue.get(job.id))?.state).toBe("running");
    raw.exec("ROLLBACK");
    raw.close();
    expect(await lease.done(RESULT)).toBe(true);
    expect((await queue.get(job.id))?.state).toBe("done");
  });

  test("is heard of as soon as somebody else wrote it, without a look because of the time", async () => {
    const [queue, other] = [await open(), await open()];
    const heard = new Promise<string>((resolve) => {
      queue.watch((event) => event.kind === "job" && resolve(event.job.id));
    });
    // Answered after the listening has begun. The clock stands still from here on.
    await queue.get(ABSENT);
    const { job } = await other.submit(spec());
    expect(await heard).toBe(job.id);
  });

  test("does not keep the program waiting while the disk does", async () => {
    const queue = await open();
    const raw = new DatabaseSync(file);
    raw.exec("BEGIN IMMEDIATE");
    let turns = 0;
    const done = queue.submit(spec());
    while (turns < 200) {
      turns += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (turns === 100) raw.exec("COMMIT");
    }
    raw.close();
    expect((await done).isNew).toBe(true);
  });

  test("outlives every process that has it open, at whatever moment it is killed", async () => {
    const script = fileURLToPath(new URL("./queue-writer.suite.ts", import.meta.url));
    const said = new Map<string, string>();
    for (let kill = 1; kill <= 3; kill++) {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, file, `${kill}`], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.split("\n").length > 40 * kill) child.kill("SIGKILL");
      });
      await once(child, "close");
      expect(child.signalCode).toBe("SIGKILL");
      // The last line may be half of one.
      for (const line of text.split("\n").slice(0, -1)) {
        const [id = "", state = ""] = line.split(" ");
        said.set(id, state);
      }
    }
    expect(said.size).toBeGreaterThan(60);
    clock.advance(Date.now() + DEFAULT_PACE.leaseMs + 1 - clock.unixUs() / 1_000);
    const queue = await open();
    const rank = ["queued", "running", "done"];
    let held = 0;
    for (const [id, state] of said) {
      const now = (await queue.get(id))?.state ?? "nowhere";
      expect(rank.indexOf(now)).toBeGreaterThanOrEqual(rank.indexOf(state));
      held += now === "running" ? 1 : 0;
    }
    // Each was killed with a job in its hands.
    expect(held).toBeGreaterThanOrEqual(3);
    await queue.claim(["none"], "w");
    clock.advance(DEFAULT_PACE.backOffMs);
    const lease = await take(rigOf(file, clock), queue);
    expect(lease.attempt).toBe(2);
    expect(lease.job.error?.code).toBe("worker-died");
    expect(await lease.done(RESULT)).toBe(true);
  });

  test("that goes away and comes back is used again by those who had it open", async () => {
    const place = join(folder, "disk");
    mkdirSync(place);
    file = join(place, "jobs");
    const queue = await open();
    const { job } = await queue.submit(spec());
    await queue.close();
    renameSync(place, `${place}.away`);
    expect(await codeOf(open())).toBe("queue-away");
    renameSync(`${place}.away`, place);
    const again = await open();
    expect((await again.get(job.id))?.state).toBe("queued");
  });
});
