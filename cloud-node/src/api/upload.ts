import type { IncomingMessage } from "node:http";
import { ApiProblem } from "./problem.ts";

/** What a PUT of a blob brings: bytes from one on, and how many there are in all. */
export interface UploadRange {
  readonly fromByte: number;
  readonly bytes: number;
}

/**
 * What the head of an upload says that comes: all of `content-length`, or by `content-range: bytes FROM-LAST/ALL` the rest.
 *
 * @throws {ApiProblem} `bad-parameter`
 */
export function uploadRange({ headers }: IncomingMessage): UploadRange {
  const { "content-range": range, "content-length": length } = headers;
  if (range === undefined) {
    const bytes = /^\d{1,16}$/.test(length ?? "") ? Number(length) : Number.NaN;
    if (Number.isSafeInteger(bytes)) return { fromByte: 0, bytes };
    throw new ApiProblem(
      "bad-parameter",
      "the upload does not say how long it is: send content-length, or content-range",
    );
  }
  const [, from = "", last = "", all = ""] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(String(range)) ?? [];
  const [fromByte, lastByte, bytes] = [from, last, all].map((text) => (text === "" ? Number.NaN : Number(text)));
  const isWhole = fromByte !== undefined && bytes !== undefined && Number.isSafeInteger(bytes);
  if (isWhole && fromByte < bytes && lastByte === bytes - 1) return { fromByte, bytes };
  const detail = `content-range is "${String(range).slice(0, 80)}": write bytes FROM-LAST/ALL, where LAST is the last byte of all`;
  throw new ApiProblem("bad-parameter", detail, { parameter: "content-range" });
}

/**
 * The bytes of a request from the one on that a store asks for.
 *
 * @param fromByte  of the blob, that the request begins with. @param wanted  that the store goes on with
 * @throws {ApiProblem} `wrong-offset` when the request begins behind it
 */
export async function* bytesFrom(
  body: AsyncIterable<Uint8Array>,
  fromByte: number,
  wanted: number,
): AsyncGenerator<Uint8Array> {
  if (wanted < fromByte) {
    const detail = `${wanted} bytes are kept, and these begin at ${fromByte}: go on at ${wanted}`;
    throw new ApiProblem("wrong-offset", detail, { kept: wanted });
  }
  let skip = wanted - fromByte;
  for await (const chunk of body) {
    if (skip < chunk.length) yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}
