import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { Clock } from "../clock.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import type { AccessControl } from "./access-control.ts";
import type { ApiNode, ApiRepublish, TruthOf } from "./api-node.ts";
import type { EventLog } from "./event-log.ts";
import { refusalText } from "./event-text.ts";
import type { FleetWatch } from "./fleet-watch.ts";
import type { HistoryAccess } from "./history-access.ts";
import type { JobWatch } from "./job-watch.ts";
import type { Metrics } from "./metrics.ts";
import { ApiProblem } from "./problem.ts";
import type { StreamSlots } from "./stream-slots.ts";

/** The server, with routes whose types come from their schemas. */
export type ApiApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What routes answer from. */
export interface ApiContext {
  readonly node: ApiNode;
  readonly clock: Clock;
  readonly truthOf: TruthOf;
  readonly fleet: FleetWatch;
  readonly log: EventLog;
  /** Undefined where the node has no queue of jobs. */
  readonly jobs: JobWatch | undefined;
  readonly history: HistoryAccess;
  readonly metrics: Metrics;
  readonly slots: StreamSlots;
  readonly access: AccessControl;
  /** Undefined where nothing is re-published. */
  readonly republish: ApiRepublish | undefined;
}

/** A device by its name. @throws {ApiProblem} `unknown-device` */
export function deviceOf({ node }: ApiContext, id: string): TwinView {
  const view = node.device(id);
  if (view !== undefined) return view;
  const refused = node.refused().find((one) => one.id === id);
  if (refused !== undefined) {
    const detail = `"${id}" is not taken in: refused, ${refusalText(refused.reason)}`;
    throw new ApiProblem("unknown-device", detail, { device: id, reason: refused.reason });
  }
  throw new ApiProblem("unknown-device", `no device "${id}" was ever born here; see /api/v1/devices`, { device: id });
}
