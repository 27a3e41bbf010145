import { Type } from "typebox";
import { type ApiApp, type ApiContext, deviceOf } from "../api-app.ts";
import { deviceAnswer, twinAnswer } from "../device-answers.ts";
import { needs } from "../route-roles.ts";
import { DeviceSchema, ModulesSchema, TwinSchema } from "../schemas/device-schema.ts";
import { FleetPageSchema, FleetViewSchema } from "../schemas/fleet-schema.ts";
import { answers } from "./answers.ts";
import { DeviceParams } from "./parameters.ts";

/** Who is there, and what each one is now. */
export function addDeviceRoutes(app: ApiApp, context: ApiContext): void {
  const { node, clock, fleet, history, truthOf } = context;
  app.get(
    "/api/v1/devices",
    {
      schema: {
        ...needs("read"),
        summary: "The fleet table, a page at a time",
        querystring: Type.Object(FleetViewSchema, { additionalProperties: false }),
        response: answers(FleetPageSchema),
      },
    },
    ({ query }) => fleet.page(query),
  );
  app.get(
    "/api/v1/devices/:id",
    { schema: { ...needs("read"), summary: "Who a device is", params: DeviceParams, response: answers(DeviceSchema) } },
    ({ params }) => deviceAnswer(deviceOf(context, params.id), fleet, history, truthOf(params.id), clock.unixUs()),
  );
  app.get(
    "/api/v1/devices/:id/twin",
    { schema: { ...needs("read"), summary: "A device now", params: DeviceParams, response: answers(TwinSchema) } },
    ({ params }) => twinAnswer(deviceOf(context, params.id), clock.unixUs()),
  );
  app.get(
    "/api/v1/modules",
    {
      schema: {
        ...needs("read"),
        summary: "The codec modules that devices may name",
        response: answers(ModulesSchema),
      },
    },
    () => {
      const views = node.devices();
      const modules = node.modules().map((module) => ({
        ...module,
        devices: views.filter(({ birth }) => birth.model === module.hash).map(({ id }) => id),
      }));
      return { modules };
    },
  );
}
