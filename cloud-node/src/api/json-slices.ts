/** Values of an array that become text in one piece: under a millisecond. */
const SLICE_VALUES = 4_096;
/** Text collected before it is handed on. */
const PIECE_CHARS = 32_768;

/**
 * JSON of an answer in pieces, so that whoever makes it can do something else between two: of long arrays of numbers no
 * piece is long.
 *
 * @param value  plain data, as JSON has it
 */
export function* jsonSlices(value: object): Generator<string> {
  let text = "";
  for (const part of parts(value)) {
    text += part;
    if (text.length < PIECE_CHARS) continue;
    yield text;
    text = "";
  }
  yield text;
}

function* parts(value: unknown): Generator<string> {
  if (Array.isArray(value)) yield* arrayParts(value);
  else if (typeof value === "object" && value !== null) yield* objectParts(value);
  else yield JSON.stringify(value);
}

function* arrayParts(values: readonly unknown[]): Generator<string> {
  yield "[";
  const isPlain = typeof values[0] !== "object" || values[0] === null;
  const step = isPlain ? SLICE_VALUES : 1;
  for (let from = 0; from < values.length; from += step) {
    if (from > 0) yield ",";
    if (isPlain) yield JSON.stringify(values.slice(from, from + step)).slice(1, -1);
    else yield* parts(values[from]);
  }
  yield "]";
}

function* objectParts(value: object): Generator<string> {
  yield "{";
  let isFirst = true;
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    yield `${isFirst ? "" : ","}${JSON.stringify(key)}:`;
    isFirst = false;
    yield* parts(inner);
  }
  yield "}";
}
