import { setTimeout } from "node:timers/promises";
import type { Job } from "@lockstep/cloud-node";
import { connect } from "@nats-io/transport-node";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BENCH_WORKLOADS, JobsRig, type QueueKind } from "./jobs-rig.ts";

const KINDS: readonly QueueKind[] = ["SQLite", "JetStream"];
const ATTEMPTS = 3;
/** How a job ends its thread, and the error that it is to be given up with. */
const POISONS = [
  ["exit", "worker-died"],
  ["throw", "failed"],
  ["memory", "out-of-memory"],
] as const;
/** A letter is on its way when the job is heard to be dead. */
const LETTER_MS = 5_000;
const LOOK_MS = 50;

/** Jobs that JetStream tells of as dead, as whoever listens hears of them. */
class DeadLetters {
  readonly #letters = new Map<string, Job>();
  readonly #close: () => Promise<void>;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  static async of(url: string): Promise<DeadLetters> {
    const link = await connect({ servers: url.replace("nats://", "").split(",") });
    const letters = new DeadLetters(() => link.close());
    link.subscribe("lockstep.dead.>", {
      callback: (_error, message) => {
        const job = message.json<Job>();
        letters.#letters.set(job.id, job);
      },
    });
    await link.flush();
    return letters;
  }

  /** Whether a job is told of as it stands, with its last error and its inputs. */
  async has({ id, state, error, inputs }: Job): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < LETTER_MS && !this.#letters.has(id); waitedMs += LOOK_MS)
      await setTimeout(LOOK_MS);
    const letter = this.#letters.get(id);
    if (letter === undefined) return false;
    const told = [letter.state, letter.error?.code, letter.error?.message, letter.inputs];
    return JSON.stringify(told) === JSON.stringify([state, error?.code, error?.message, inputs]);
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** A job that takes its thread along each time: given up with its error, while its worker lives. */
export async function poisonous(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const rows: (string | number)[][] = [];
  let deaths = 0;
  let survivals = 0;
  let letters = 0;
  for (const kind of KINDS) {
    const rig = await JobsRig.start(kind, { leaseMs: 2_000 });
    const dead = rig.nats === undefined ? undefined : await DeadLetters.of(rig.nats.url);
    try {
      const worker = await rig.worker(["--workloads-from", BENCH_WORKLOADS, "--memory", "64"]);
      for (const [how, code] of POISONS) {
        const input = await rig.open.blobs.put(async function* () {
          yield Buffer.from(how);
        });
        const inputs = [{ name: "eaten.txt", ...input }];
        const job = await rig.over(await rig.submit("poison", { how }, { inputs }, ATTEMPTS));
        const next = await rig.over(await rig.submit("tiny", { n: 1 }, { salt: how }));
        const isAlive = !worker.hasEnded && next.state === "done";
        const hasLetter = await dead?.has(job);
        deaths += Number(job.state === "dead" && job.attempts === ATTEMPTS && job.error?.code === code);
        survivals += Number(isAlive);
        letters += Number(hasLetter === true);
        rows.push([
          ...[kind, how, job.state, job.attempts, job.error?.code ?? "–", code],
          ...[hasLetter === undefined ? "–" : yesNo(hasLetter), yesNo(isAlive)],
        ]);
      }
    } finally {
      await dead?.close();
      await rig.stop();
    }
  }
  const all = rows.length;
  return {
    table: {
      title: "Poisonous jobs",
      columns: [
        ...["queue", "how it ends its thread", "ends as", "attempts", "error", "which must be"],
        ...["told of with error and inputs", "worker lives and goes on"],
      ],
      rows,
    },
    goals: [
      {
        what: `poisonous jobs given up after ${ATTEMPTS} attempts with the error that is theirs`,
        measured: deaths,
        unit: `of ${all}`,
        must: { atLeast: all },
      },
      {
        what: "poisonous jobs told of with error and inputs, JetStream",
        measured: letters,
        unit: `of ${POISONS.length}`,
        must: { atLeast: POISONS.length },
      },
      { what: "workers that live on behind them", measured: survivals, unit: `of ${all}`, must: { atLeast: all } },
    ],
  };
}

function yesNo(isSo: boolean): string {
  return isSo ? "yes" : "no";
}
