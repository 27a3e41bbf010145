import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { formatGapCursor, parseGapCursor } from "../gap-cursor.ts";
import { gapsOf, namedRuns } from "../history-answer.ts";
import { chooseChannels } from "../history-channels.ts";
import { needs } from "../route-roles.ts";
import { GapsSchema } from "../schemas/history-schema.ts";
import { parseRange } from "../time-range.ts";
import { answers } from "./answers.ts";
import { DeviceParams, RangeQuery } from "./parameters.ts";

const MOST_GAPS = 10_000;
const DEFAULT_GAPS = 1_000;

/** What was lost. */
export function addGapRoutes(app: ApiApp, context: ApiContext): void {
  const { clock, history } = context;
  app.get(
    "/api/v1/devices/:id/gaps",
    {
      schema: {
        ...needs("read"),
        summary: "What was lost, and what is awaited; of all time where no range is given",
        description: "`runs` and what is awaited are of the range; what is declared, and its sums, of all time.",
        params: DeviceParams,
        querystring: Type.Object(
          {
            ...RangeQuery,
            limit: Type.Integer({
              minimum: 1,
              maximum: MOST_GAPS,
              default: DEFAULT_GAPS,
              description: "declared gaps of a page, and runs of it",
            }),
            cursor: Type.Optional(Type.String({ maxLength: 64, description: "`next` of the page before" })),
          },
          { additionalProperties: false },
        ),
        response: answers(GapsSchema),
      },
    },
    async ({ params, query }) => {
      const view = deviceOf(context, params.id);
      const place = parseGapCursor(query.cursor);
      const span = await history.span(view.id);
      const nowUs = clock.unixUs();
      const isAll = query.from === undefined && query.to === undefined;
      // What is awaited ends now, which is after the last sample.
      const range = isAll
        ? span && { ...span, toUs: Number.MAX_SAFE_INTEGER }
        : parseRange(query.from, query.to, span, nowUs);
      const question = {
        view,
        range: range ?? { fromUs: 0, toUs: 0 },
        span,
        channels: chooseChannels(view.birth, () => view.birth),
        nowUs,
      };
      const runs = namedRuns(question, await gapsOf(history, question));
      // The newest of all, and on the last page at most: whoever reads the first one is told of them too.
      const pending = runs.filter(({ kind }) => kind === "gap-pending");
      // One more than a page has says whether there is another.
      const page = await history.gapsAfter(view.id, place.after, query.limit + 1);
      const { totals } = page;
      const declared = page.declared.slice(0, query.limit);
      const runsEnd = place.runs + query.limit;
      const last = declared.at(-1);
      const isMore = page.declared.length > query.limit || runs.length > runsEnd;
      return {
        id: view.id,
        declared: declared.map(({ epoch, from, through, samples, reason }) => {
          return { epoch, from, through, samples, reason };
        }),
        runs: runs.slice(place.runs, runsEnd),
        range: isAll ? (span ?? null) : (range ?? null),
        lostSamples: totals.samples,
        declaredGaps: totals.gaps,
        pendingGaps: pending.length,
        pendingUs: pending.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0),
        next: isMore ? formatGapCursor({ after: last ?? place.after, runs: runsEnd }) : null,
      };
    },
  );
}
