import type { TSchema } from "typebox";
import { PROBLEM_TYPE } from "../problem.ts";
import { ProblemSchema } from "../schemas/problem-schema.ts";

/** The answers of a route, for its description: this, or a problem. */
export function answers<Schema extends TSchema>(schema: Schema) {
  return { 200: schema, ...problems() };
}

/** The same of a route that takes something on, and has not done it yet. */
export function accepted<Schema extends TSchema>(schema: Schema) {
  return { 202: schema, ...problems() };
}

function problems() {
  const problem = { description: "why there is no answer", content: { [PROBLEM_TYPE]: { schema: ProblemSchema } } };
  return { "4xx": problem, "5xx": problem };
}
