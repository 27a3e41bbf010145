import type { FastifySchema } from "fastify";
import type { Role } from "../access/role.ts";
import { InvariantError } from "../invariant-error.ts";

/** How a request says who it is, as the description of the API names it. */
const SCHEMES = ["token", "session"] as const;

/** A part of a route's schema that says who may ask: whoever has one of these roles. */
export function needs(...roles: readonly Role[]) {
  return { security: SCHEMES.flatMap((scheme) => roles.map((role) => ({ [scheme]: [role] }))) };
}

/** The same: everybody may. */
export const NEEDS_NOTHING = { security: [] };

/** The roles of which a request must have one; none: everybody may. @throws {InvariantError} where a route does not say */
export function rolesNeeded(schema: FastifySchema | undefined, place: string): readonly Role[] {
  if (schema?.security === undefined) throw new InvariantError(`the route ${place} does not say who may ask`);
  return schema.security.flatMap(({ token = [] }) => token as Role[]);
}
