import { type Static, Type } from "typebox";
import { ROLES } from "../../access/role.ts";
import { nullableString } from "./nullable.ts";

/** Who one is to a node. */
export const SessionSchema = Type.Object(
  {
    isOpen: Type.Boolean({ description: "nobody has to log in: no token was ever made" }),
    name: nullableString("of the token; null where none was shown"),
    roles: Type.Array(Type.Enum([...ROLES])),
    expires: nullableString("when the token does, ISO date; null: never"),
  },
  { additionalProperties: false },
);

export type SessionAnswer = Static<typeof SessionSchema>;

/** What logs in. */
export const LogInSchema = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 256, description: "as `lockstep tokens add` showed it" }) },
  { additionalProperties: false },
);
