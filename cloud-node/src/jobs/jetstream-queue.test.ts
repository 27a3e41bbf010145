import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Msg, PermissionViolationError } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { JetStreamAnswers } from "./jetstream-answers.ts";
import { JetStreamJobs } from "./jetstream-jobs.ts";
import { JetStreamQueue } from "./jetstream-queue.ts";
import type { Job } from "./job.ts";
import { jobContent, specOf } from "./job-id.ts";
import { jobQueueSuite } from "./job-queue.suite.ts";
import type { JobLease, JobQueue } from "./job-queue.ts";
import { newRecord } from "./job-record.ts";
import { type NatsLink, openNatsLink } from "./nats-link.ts";
import { describeWithNats, NatsServers } from "./nats-servers.suite.ts";
import { openQueue } from "./open-queue.ts";
import { codeOf, type QueueRig, SHA, spec, take, until } from "./queue-rig.suite.ts";

/** In real time the servers wait so long for a word of a worker; whether a lease is over, the clock of the test decides. */
const PACE = { leaseMs: 1_000, backOffMs: 100 };
const STEP_MS = 5;
const RESULT = { value: {}, outputs: [] };
const SLOW_MS = 120_000;

interface NatsRig extends QueueRig {
  readonly servers: NatsServers;
  link(): Promise<NatsLink>;
}

async function natsRig(count = 1, mendMs = 60_000): Promise<NatsRig> {
  const servers = await NatsServers.start(count);
  const clock = new ManualClock();
  const links: NatsLink[] = [];
  const link = async () => {
    const opened = await openNatsLink(servers.url);
    links.push(opened);
    return opened;
  };
  return {
    servers,
    link,
    open: async () => JetStreamQueue.open(await link(), { clock, pace: PACE, mendMs }),
    passLease: async (part) => clock.advance(PACE.leaseMs * part),
    passBackOff: async (attempt) => clock.advance(PACE.backOffMs * 2 ** (attempt - 2)),
    pass: async () => {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      clock.advance(STEP_MS);
    },
    close: async () => {
      for (const { connection } of links) await connection.close();
      await servers.stop();
    },
  };
}

/** As a worker does: ask until somebody answers. */
async function answered<Result>(rig: QueueRig, what: string, act: () => Promise<Result>): Promise<Result> {
  const answers: Result[] = [];
  await until(rig, what, async () => {
    try {
      answers.push(await act());
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: "queue-away" });
      return false;
    }
  });
  return answers[0] ?? expect.fail(what);
}

describeWithNats("jobs in NATS", () => {
  jobQueueSuite("a queue in JetStream", natsRig);

  describe("in JetStream", () => {
    let rig: NatsRig;
    let queue: JobQueue;
    let link: NatsLink;
    beforeAll(async () => {
      rig = await natsRig(1, 0);
      queue = await rig.open();
      link = await rig.link();
    });
    afterAll(async () => {
      await queue.close();
      await rig.close();
    });

    test("a job that used up its attempts is told of with its last error and its inputs, until it begins anew", async () => {
      const inputs = [{ name: "in", sha256: SHA, bytes: 7 }];
      const { job } = await queue.submit(spec({ workload: "dead", inputs }), { maxAttempts: 1 });
      await (await take(rig, queue, "dead")).failed({ code: "worker-died", message: "it crashed" }, false);
      const subject = `lockstep.dead.dead.${job.id}`;
      const letter = await link.jsm.streams.getMessage("lockstep_dead", { last_by_subj: subject });
      expect(letter?.json<Job>()).toMatchObject({
        id: job.id,
        state: "dead",
        inputs,
        error: { code: "worker-died", message: "it crashed" },
      });
      await queue.retry(job.id);
      expect(await link.jsm.streams.getMessage("lockstep_dead", { last_by_subj: subject })).toBeNull();
      await (await take(rig, queue, "dead")).done(RESULT);
    });

    test("a message too many gives nobody a job that somebody has, or one that is over", async () => {
      const { job } = await queue.submit(spec({ workload: "twice" }));
      const lease = await take(rig, queue, "twice");
      const subject = `lockstep.work.twice.${job.id}`;
      await link.js.publish(subject, job.id);
      expect(await queue.claim(["twice"], "b")).toBeUndefined();
      expect(await lease.done(RESULT)).toBe(true);
      await link.js.publish(subject, job.id);
      await link.js.publish("lockstep.work.twice.nothing", "nothing");
      expect(await queue.claim(["twice"], "b")).toBeUndefined();
      await until(rig, "nobody is told of it any more", async () => {
        expect(await queue.claim(["twice"], "b")).toBeUndefined();
        const { state } = await link.jsm.streams.info("lockstep_work", { subjects_filter: "lockstep.work.twice.*" });
        return state.subjects === undefined;
      });
    });

    test("a job that no message tells of is found by those who wait", async () => {
      // As one leaves it who was killed before he had told of it.
      const { id, canonical } = jobContent(spec({ workload: "mended" }));
      const jobs = await JetStreamJobs.open(link, "lockstep_jobs");
      expect(await jobs.add(newRecord(specOf(canonical), id, 1))).toBeGreaterThan(0);
      expect(await queue.claim(["mended"], "w")).toBeUndefined();
      const lease = await waitFor(rig, queue);
      expect(lease.job.id).toBe(id);
      await lease.done(RESULT);
    });

    test("a consumer that is gone is made anew, and one of another lease time gets that of who comes", async () => {
      await queue.submit(spec({ workload: "consumer" }));
      const first = await take(rig, queue, "consumer");
      expect(await first.done(RESULT)).toBe(true);
      await link.jsm.consumers.delete("lockstep_work", "lockstep_consumer");
      await queue.submit(spec({ workload: "consumer" }));
      await until(rig, "it is taken", async () => {
        const lease = await queue.claim(["consumer"], "w").catch(() => undefined);
        return lease?.done(RESULT) ?? false;
      });
      const pace = { ...PACE, leaseMs: 2 * PACE.leaseMs };
      const slow = await JetStreamQueue.open(link, { clock: systemClock(), pace });
      expect(await slow.claim(["consumer"], "w")).toBeUndefined();
      const { config } = await link.jsm.consumers.info("lockstep_work", "lockstep_consumer");
      expect(config.ack_wait).toBe(pace.leaseMs * 1e6);
      await slow.close();
    });

    test("a job whose worker is killed is another one's after a lease time", async () => {
      const { job } = await queue.submit(spec({ workload: "held" }));
      const script = fileURLToPath(new URL("./jetstream-holder.suite.ts", import.meta.url));
      const child = spawn(process.execPath, [script, rig.servers.url, `${PACE.leaseMs}`], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [said] = await once(child.stdout, "data");
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(`${said}`).toBe(`${job.id}\n`);
      const lease = await take(rig, queue, "held");
      expect(lease.job).toMatchObject({ id: job.id, attempts: 2, error: { code: "worker-died", worker: "holder" } });
      expect(await lease.done(RESULT)).toBe(true);
    });

    test("servers that go away and come back have lost nothing, and who listened hears again", {
      timeout: SLOW_MS,
    }, async () => {
      const heard: string[] = [];
      const end = queue.watch((event) => event.kind === "job" && heard.push(event.job.id));
      const { job } = await queue.submit(spec({ workload: "away" }));
      const lease = await take(rig, queue, "away");
      await rig.servers.kill();
      const away = [queue.submit(spec()), queue.get(job.id), lease.done(RESULT), queue.claim(["away"], "w")];
      expect(await Promise.all(away.map((it) => codeOf(it)))).toEqual(Array(4).fill("queue-away"));
      await rig.servers.restart();
      expect(await answered(rig, "it is done", () => lease.done(RESULT))).toBe(true);
      expect(await queue.get(job.id)).toMatchObject({ state: "done", attempts: 1 });
      heard.length = 0;
      await until(rig, "it is heard again", async () => {
        await answered(rig, "it is taken", () => queue.submit(spec({ workload: "later" })));
        return heard.length > 0;
      });
      end();
    });

    test("what answers a write and is no stream has written nothing", async () => {
      const other = link.connection.subscribe("lockstep.other", {
        callback: (_, message) => void message.respond("{}"),
      });
      expect(await codeOf(link.writes.write("lockstep.other", "text", {}))).toBe("queue-away");
      other.unsubscribe();
    });

    test("questions are answered again after the server took the subscription for their answers away", async () => {
      const { connection } = await rig.link();
      const subscribe = connection.subscribe.bind(connection);
      let refuse = (): void => {};
      connection.subscribe = (subject, options) => {
        const subscription = subscribe(subject, options);
        refuse = () => {
          subscription.unsubscribe();
          options?.callback?.(new PermissionViolationError("no", "subscription", subject), {} as Msg);
        };
        return subscription;
      };
      const answers = new JetStreamAnswers(connection);
      const other = subscribe("lockstep.other", { callback: (_, message) => void message.respond("yes") });
      expect((await answers.ask("lockstep.other", "", 1_000)).string()).toBe("yes");
      refuse();
      expect((await answers.ask("lockstep.other", "", 1_000)).string()).toBe("yes");
      other.unsubscribe();
    });

    test("by its URL both are opened, jobs and blobs, or neither where nobody answers", async () => {
      const clock = systemClock();
      expect(await codeOf(openQueue("nats://127.0.0.1:1", clock))).toBe("queue-away");
      const opened = await openQueue(rig.servers.url, clock);
      expect(await opened.queue.get(SHA)).toBeUndefined();
      expect(await opened.blobs.stat(SHA)).toBeUndefined();
      await opened.close();
    });
  });

  test("whichever server of three is killed, every job is done once", { timeout: SLOW_MS }, async () => {
    const rig = await natsRig(3);
    const queue = await answered(rig, "the cluster is ready", () => rig.open());
    const { jsm } = await rig.link();
    const { config, cluster } = await jsm.streams.info("KV_lockstep_jobs");
    expect(config.num_replicas).toBe(3);
    const jobs = Array.from({ length: 12 }, () => spec({ workload: "three" }));
    const done = new Map<string, number>();
    const finish = async (lease: JobLease) => {
      const isDone = await answered(rig, "it is done", () => lease.done(RESULT));
      if (isDone) done.set(lease.job.id, (done.get(lease.job.id) ?? 0) + 1);
    };
    for (const job of jobs.slice(0, 6)) await queue.submit(job);
    const held = await take(rig, queue, "three");
    await rig.servers.kill(cluster?.leader ?? "");
    const ids: string[] = [];
    for (const job of jobs) ids.push((await answered(rig, "it is handed in", () => queue.submit(job))).job.id);
    await finish(held);
    await until(rig, "all are done", async () => {
      const lease = await answered(rig, "it is asked", () => queue.claim(["three"], "w").then((it) => ({ it })));
      if (lease.it !== undefined) await finish(lease.it);
      return done.size === jobs.length;
    });
    expect([...done.values()]).toEqual(jobs.map(() => 1));
    for (const id of ids) expect(await queue.get(id)).toMatchObject({ state: "done" });
    await queue.close();
    await rig.close();
  });
});

async function waitFor(rig: QueueRig, queue: JobQueue): Promise<JobLease> {
  const found: JobLease[] = [];
  await until(rig, "it is found", async () => {
    const stop = new AbortController();
    const waiting = queue.wait(["mended"], 60_000, stop.signal);
    await rig.pass();
    stop.abort();
    await waiting;
    const lease = await queue.claim(["mended"], "w");
    if (lease !== undefined) found.push(lease);
    return found.length > 0;
  });
  return found[0] ?? expect.fail("until has seen it");
}
