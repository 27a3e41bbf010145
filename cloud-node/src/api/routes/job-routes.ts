import { Type } from "typebox";
import { JOB_STATES, type Job } from "../../jobs/job.ts";
import { isSeat } from "../../jobs/seat.ts";
import type { ApiApp, ApiContext } from "../api-app.ts";
import type { ApiJobs } from "../api-node.ts";
import { jobAnswer, jobsAnswer } from "../job-answers.ts";
import { takeJsonAlone } from "../json-body.ts";
import { ApiProblem } from "../problem.ts";
import { needs } from "../route-roles.ts";
import {
  JOB_ID,
  JobLogSchema,
  JobSchema,
  JobSpecSchema,
  JobsSchema,
  MOST_JOBS,
  PrunedSchema,
  SubmittedSchema,
} from "../schemas/job-schema.ts";
import { accepted, answers } from "./answers.ts";

const DEFAULT_JOBS = 100;
/** Parameters, and sixty-four inputs with the longest names. */
const MAX_SPEC_BYTES = 131_072;
const STATES = `^(${JOB_STATES.join("|")})(,(${JOB_STATES.join("|")}))*$`;
const JobParams = Type.Object({ job: Type.String({ pattern: JOB_ID, description: "its id" }) });

/** The jobs of a node. @throws {ApiProblem} `no-jobs` where it has no queue */
export function jobsOf({ node: { jobs } }: ApiContext): ApiJobs {
  if (jobs !== null) return jobs;
  throw new ApiProblem("no-jobs", "this node was started without a queue of jobs: start `lockstep serve` with one");
}

/** A job that people may see: a place in a shared one holds the secret by which workers know each other. */
async function shownJob(context: ApiContext, id: string): Promise<Job> {
  const job = await jobsOf(context).queue.get(id);
  if (job !== undefined && !isSeat(job)) return job;
  throw new ApiProblem("unknown-job", `there is no job ${id}; see /api/v1/jobs`);
}

/** Heavy work: hand in, look, cancel, begin anew, forget. */
export function addJobRoutes(app: ApiApp, context: ApiContext): void {
  app.get(
    "/api/v1/jobs",
    {
      schema: {
        ...needs("read", "jobs"),
        summary: "Jobs, newest first",
        querystring: Type.Object(
          {
            state: Type.Optional(Type.String({ pattern: STATES, description: "states, with commas between" })),
            workload: Type.Optional(Type.String({ pattern: "^[a-z0-9-]{1,64}$" })),
            before: Type.Optional(Type.String({ pattern: JOB_ID, description: "`next` of the page before" })),
            limit: Type.Integer({ minimum: 1, maximum: MOST_JOBS, default: DEFAULT_JOBS }),
          },
          { additionalProperties: false },
        ),
        response: answers(JobsSchema),
      },
    },
    async ({ query: { state, workload, before, limit } }) => {
      const states = state === undefined ? undefined : JOB_STATES.filter((one) => state.split(",").includes(one));
      return jobsAnswer(await jobsOf(context).queue.list({ states, workload, before, limit }), limit);
    },
  );
  app.get(
    "/api/v1/jobs/:job",
    {
      schema: {
        ...needs("read", "jobs"),
        summary: "One job: how it stands, what it was given, what it left",
        params: JobParams,
        response: answers(JobSchema),
      },
    },
    async ({ params: { job: id } }) => jobAnswer(await shownJob(context, id)),
  );
  app.get(
    "/api/v1/jobs/:job/log",
    {
      schema: {
        ...needs("read", "jobs"),
        summary: "What a job said",
        params: JobParams,
        response: answers(JobLogSchema),
      },
    },
    async ({ params: { job: id } }) => {
      await shownJob(context, id);
      return { lines: await jobsOf(context).queue.log(id) };
    },
  );
  addSubmission(app, context);
  for (const [verb, summary, description] of [
    [
      "cancel",
      "Let a job end",
      "At once where nobody works on it; else its worker is told, and ends it within seconds.",
    ],
    ["retry", "Let a job begin anew", "One that is failed, dead or cancelled, with all its attempts."],
  ] as const) {
    app.post(
      `/api/v1/jobs/:job/${verb}`,
      { schema: { ...needs("jobs"), summary, description, params: JobParams, response: answers(JobSchema) } },
      async ({ params: { job: id } }) => {
        await shownJob(context, id);
        return jobAnswer(await jobsOf(context).queue[verb](id));
      },
    );
  }
  app.delete(
    "/api/v1/jobs",
    {
      schema: {
        ...needs("jobs"),
        summary: "Forget jobs that ended before a time",
        querystring: Type.Object(
          {
            endedBeforeMs: Type.Integer({
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              description: "Unix time, ms",
            }),
          },
          { additionalProperties: false },
        ),
        response: answers(PrunedSchema),
      },
    },
    async ({ query }) => ({ pruned: await jobsOf(context).queue.prune(query.endedBeforeMs) }),
  );
}

function addSubmission(app: ApiApp, context: ApiContext): void {
  app.register(async (scope) => {
    const inner = scope as typeof app;
    takeJsonAlone(inner, MAX_SPEC_BYTES, notJson);
    inner.post(
      "/api/v1/jobs",
      {
        bodyLimit: MAX_SPEC_BYTES,
        schema: {
          ...needs("jobs"),
          summary: "Hand in a job",
          description: [
            "Its inputs must be blobs that are there: see `PUT /api/v1/blobs/{sha256}`. The same request is the same job,",
            "whatever became of it. It is kept for good once this is answered.",
          ].join(" "),
          body: JobSpecSchema,
          response: accepted(SubmittedSchema),
        },
      },
      async ({ raw, body: { workload, params = {}, inputs = [], salt = "", maxAttempts } }, reply) => {
        // The body may have taken its time, and a token may be revoked meanwhile.
        if (!context.access.visitorOf(raw).isIn()) throw new ApiProblem("no-token", "the token is not good any more");
        const { queue, blobs } = jobsOf(context);
        if (isSeat({ salt })) {
          throw new ApiProblem("job-refused", `the salt ${salt} is one of the workers' own: choose another`);
        }
        for (const { name, sha256, bytes } of inputs) {
          if ((await blobs.stat(sha256))?.bytes === bytes) continue;
          const detail = `the input ${name} is not there: send its ${bytes} bytes to /api/v1/blobs/${sha256} first`;
          throw new ApiProblem("unknown-blob", detail, { name, sha256 });
        }
        const { job, isNew } = await queue.submit({ workload, params, inputs, salt }, { maxAttempts });
        void reply.status(202);
        return { id: job.id, isNew, state: job.state };
      },
    );
  });
}

function notJson(): ApiProblem {
  return new ApiProblem("job-refused", 'the body is no JSON: send {"workload":"…"} as application/json');
}
