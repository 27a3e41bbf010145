import {
  type JobFrame,
  type JobSubmitFrame,
  jobContentId,
  parseJsonObject,
  type ResultFrame,
} from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import type { BlobStore } from "../jobs/blob-store.ts";
import type { JobSpec } from "../jobs/job.ts";
import { JobError } from "../jobs/job-error.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { isSeat } from "../jobs/seat.ts";
import type { Logger } from "../logger.ts";
import { failedAnswer } from "./job-answers.ts";
import { JobFollower } from "./job-follower.ts";

/** Who speaks of jobs: one connection, or one name's topics. */
export interface JobSpeaker {
  readonly device: string | undefined;
  readonly link: { send(frame: ResultFrame): void };
}

export interface JobDeskOptions {
  /** Not the desk's to close; nothing: whoever speaks of jobs is told that there is none. */
  readonly queue: JobQueue | undefined;
  /** Where inputs are: those of a job that is handed in are renewed first. */
  readonly blobs?: Pick<BlobStore, "renew"> | undefined;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
}

/** A job frame that was read: what it wants, and of which job. */
type Wish =
  | { readonly op: "submit"; readonly id: string; readonly spec: JobSpec; readonly attempts: number }
  | { readonly op: "cancel" | "ask"; readonly id: string };

interface Spoken {
  readonly nonce: number;
  readonly followers: Map<string, JobFollower>;
}

/** Jobs that one speaker follows at a time, and frames of one that wait for the queue. */
const MAX_FOLLOWED = 64;
/** Speakers that follow any; the one not heard for longest is forgotten, and asks again. */
const MAX_SPEAKERS = 1_024;
/** Frames that wait for the queue, of all speakers: each may hold some 50 KB. */
const MAX_UNDER_WAY = 256;
/** Where no job can be made out. */
const NO_ID = "00".repeat(32);
/** Failures of the queue that pass. */
const PASSING: ReadonlySet<string> = new Set(["queue-away", "disk-full"]);

/** Gives what is said of jobs to a queue, and tells those who said it what becomes of them. @see protocol/SPEC.md, section 10 */
export class JobDesk {
  readonly #options: JobDeskOptions;
  /** Longest silent first. */
  readonly #speakers = new Map<JobSpeaker, Spoken>();
  readonly #byJob = new Map<string, Set<JobFollower>>();
  #leaveQueue: (() => void) | undefined;
  #underWay = 0;
  /** Of each speaker that has any, whatever its nonce: to start anew makes no room. */
  readonly #underWayOf = new Map<JobSpeaker, number>();
  #isClosed = false;

  constructor(options: JobDeskOptions) {
    this.#options = options;
  }

  /** Take a frame of somebody who may use jobs. */
  heard(frame: JobFrame, speaker: JobSpeaker): void {
    if (this.#isClosed) return;
    const { queue } = this.#options;
    const wish = frame.op === "submit" ? readSubmit(frame) : frame;
    if (wish === undefined) {
      this.#refuse(frame, speaker, NO_ID, "bad-params", "params are no JSON object, or one of more than 32 levels");
    } else if (queue === undefined) {
      this.#refuse(frame, speaker, wish.id, "no-queue", "this node has no queue for jobs: ask its operator for one");
    } else if (wish.op === "submit" && isSeat(wish.spec)) {
      const message = `the salt ${wish.spec.salt} is one of those by which workers share a job: choose another`;
      this.#refuse(frame, speaker, wish.id, "bad-job", message);
    } else {
      this.#take(queue, wish, frame, speaker);
    }
  }

  /** Answer somebody who may not use jobs. */
  turnAway(frame: JobFrame, speaker: JobSpeaker): void {
    const id = (frame.op === "submit" ? readSubmit(frame)?.id : frame.id) ?? NO_ID;
    const name = speaker.device ?? "NAME";
    const who = speaker.device ?? "who is not known by name";
    this.#refuse(frame, speaker, id, "not-admitted", `${who} may not use jobs: lockstep devices add ${name} --jobs`);
  }

  /**
   * Somebody is not there any more, or has started anew.
   *
   * @param nonce  only where this is the one that is gone
   * @returns whether anything was followed
   */
  gone(speaker: JobSpeaker, nonce?: number): boolean {
    const spoken = this.#speakers.get(speaker);
    if (spoken === undefined || (nonce !== undefined && nonce !== spoken.nonce)) return false;
    for (const follower of [...spoken.followers.values()]) {
      follower.close();
      this.#forget(speaker, follower);
    }
    return true;
  }

  /** Forget everybody who may not use jobs any more. */
  review(mayUseJobs: (device: string | undefined) => boolean): void {
    for (const speaker of [...this.#speakers.keys()]) if (!mayUseJobs(speaker.device)) this.gone(speaker);
  }

  close(): void {
    this.#isClosed = true;
    for (const speaker of [...this.#speakers.keys()]) this.gone(speaker);
  }

  #take(queue: JobQueue, wish: Wish, frame: JobFrame, speaker: JobSpeaker): void {
    const spoken = this.#speakers.get(speaker);
    if (spoken?.nonce === frame.nonce && spoken.followers.get(wish.id)?.isAsking(wish.op)) return;
    const ofSpeaker = this.#underWayOf.get(speaker) ?? 0;
    const hasRoom = this.#underWay < MAX_UNDER_WAY && ofSpeaker < MAX_FOLLOWED;
    const follower = hasRoom ? this.#follow(queue, wish.id, frame.nonce, speaker) : undefined;
    if (follower === undefined) {
      const message = `more than ${MAX_FOLLOWED} jobs of one speaker, or too much at once: say it again later`;
      this.#refuse(frame, speaker, wish.id, "too-many", message, false);
      return;
    }
    this.#count(speaker, 1);
    follower.ask(wish.op, async () => {
      try {
        await answer({ queue, blobs: this.#options.blobs }, wish, follower);
      } catch (error) {
        this.#failed(error, speaker, follower);
      } finally {
        this.#count(speaker, -1);
      }
    });
  }

  /** Frames that wait for the queue have become more, or fewer. */
  #count(speaker: JobSpeaker, change: 1 | -1): void {
    this.#underWay += change;
    const ofSpeaker = (this.#underWayOf.get(speaker) ?? 0) + change;
    if (ofSpeaker === 0) this.#underWayOf.delete(speaker);
    else this.#underWayOf.set(speaker, ofSpeaker);
  }

  #failed(error: unknown, speaker: JobSpeaker, follower: JobFollower): void {
    const { counters, logger } = this.#options;
    const isKnown = error instanceof JobError;
    if (!isKnown) logger.error({ detail: String(error) }, "a job frame could not be answered");
    const { code, message } = isKnown ? error : { code: "failed", message: "the node could not do it: see its log" };
    const isFinal = isKnown && !PASSING.has(code);
    counters.add(`refused.job-${code}`);
    follower.refused(code, message, isFinal);
    if (isFinal || !follower.wasAnswered) this.#forget(speaker, follower);
  }

  /** @returns undefined where one more is too many */
  #follow(queue: JobQueue, id: string, nonce: number, speaker: JobSpeaker): JobFollower | undefined {
    if (this.#speakers.get(speaker)?.nonce !== nonce) this.gone(speaker);
    const spoken = this.#speakers.get(speaker) ?? { nonce, followers: new Map() };
    const known = spoken.followers.get(id);
    if (known === undefined && spoken.followers.size >= MAX_FOLLOWED) return undefined;
    this.#speakers.delete(speaker);
    this.#makeRoom();
    this.#speakers.set(speaker, spoken);
    if (known !== undefined) return known;
    const follower = new JobFollower({
      id,
      nonce,
      clock: this.#options.clock,
      send: (result) => speaker.link.send(result),
      ended: () => this.#forget(speaker, follower),
    });
    spoken.followers.set(id, follower);
    const followers = this.#byJob.get(id) ?? new Set();
    this.#byJob.set(id, followers.add(follower));
    this.#leaveQueue ??= queue.watch((event) => {
      if (event.kind !== "job") return;
      for (const one of [...(this.#byJob.get(event.job.id) ?? [])]) one.heard(event.job);
    });
    return follower;
  }

  #makeRoom(): void {
    const [longestSilent] = this.#speakers.keys();
    if (this.#speakers.size < MAX_SPEAKERS || longestSilent === undefined) return;
    this.#options.counters.add("jobs.speakers-forgotten");
    this.gone(longestSilent);
  }

  #forget(speaker: JobSpeaker, follower: JobFollower): void {
    const followers = this.#byJob.get(follower.id);
    followers?.delete(follower);
    if (followers?.size === 0) this.#byJob.delete(follower.id);
    const spoken = this.#speakers.get(speaker);
    if (spoken?.followers.get(follower.id) === follower) spoken.followers.delete(follower.id);
    if (spoken?.followers.size === 0) this.#speakers.delete(speaker);
    if (this.#byJob.size > 0) return;
    this.#leaveQueue?.();
    this.#leaveQueue = undefined;
  }

  #refuse({ nonce }: JobFrame, { link }: JobSpeaker, id: string, code: string, message: string, isFinal = true): void {
    this.#options.counters.add(`refused.job-${code}`);
    link.send(failedAnswer({ id, nonce, state: isFinal ? "failed" : "queued", code, message, attempts: 0 }));
  }
}

function readSubmit({
  workload,
  params: bytes,
  inputs,
  salt,
  attempts,
}: JobSubmitFrame): (Wish & { op: "submit" }) | undefined {
  const params = parseJsonObject(bytes);
  if (params === undefined) return undefined;
  const spec = { workload, params, inputs, salt };
  return { op: "submit", id: jobContentId(spec), spec, attempts };
}

async function answer(
  { queue, blobs }: { readonly queue: JobQueue; readonly blobs: JobDeskOptions["blobs"] },
  wish: Wish,
  follower: JobFollower,
): Promise<void> {
  if (wish.op === "submit") {
    // What is there stays there until the job names it; what is not, its first attempt tells.
    for (const input of wish.spec.inputs) await blobs?.renew(input);
    const maxAttempts = wish.attempts === 0 ? undefined : wish.attempts;
    const { job, isNew } = await queue.submit(wish.spec, { maxAttempts });
    follower.accepted(job, isNew);
    return;
  }
  const job = (wish.op === "cancel" ? await cancelled(queue, wish.id) : undefined) ?? (await queue.get(wish.id));
  if (job === undefined) {
    throw new JobError("unknown-job", `there is no job ${wish.id}`, "submit it, or look at `lockstep jobs list`");
  }
  follower.answered(job);
}

/** @returns undefined for a job that is over: it stands as it does */
async function cancelled(queue: JobQueue, id: string) {
  try {
    return await queue.cancel(id);
  } catch (error) {
    if (error instanceof JobError && error.code === "wrong-state") return undefined;
    throw error;
  }
}
