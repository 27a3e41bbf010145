import { Type } from "typebox";
import { PROBLEM_CODES } from "../problem.ts";

/** An answer that says why there is none. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: "urn:lockstep:problem: and the code" }),
    code: Type.Enum([...PROBLEM_CODES]),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "what is wrong, with value and limit, and what to do" }),
    instance: Type.String({ description: "urn:uuid: and the request's id, which the node's log names too" }),
  },
  { additionalProperties: true, description: "Why there is no answer (RFC 9457)." },
);
