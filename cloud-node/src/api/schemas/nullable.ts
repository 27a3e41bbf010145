import { type TSchema, Type } from "typebox";

/** A number, or null where it is not known: JSON has no NaN. */
export function nullableNumber(description: string) {
  return Type.Unsafe<number | null>({ type: ["number", "null"], description });
}

/** A text, or null where there is none. */
export function nullableString(description: string) {
  return Type.Unsafe<string | null>({ type: ["string", "null"], description });
}

/** What was computed, as JSON can carry it. */
export function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

/** The schema of an answer that is an object with nothing else in it. */
export function closedObject<Properties extends Record<string, TSchema>>(properties: Properties, description: string) {
  return Type.Object(properties, { additionalProperties: false, description });
}
