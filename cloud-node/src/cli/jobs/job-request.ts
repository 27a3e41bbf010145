import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { InvalidArgumentError } from "commander";
import type { BlobRef } from "../../jobs/blob-store.ts";
import type { Json, JsonObject, NamedBlob } from "../../jobs/job.ts";
import { CommandError } from "../command-error.ts";
import { FILE_PIECE_BYTES, type Moving } from "./job-door.ts";

/** A file, and what the job calls it. */
export interface InputFile {
  readonly name: string;
  readonly path: string;
}

/** Parameters as they are given: a file of them, and single ones, which win. */
export interface ParamOptions {
  readonly params?: string;
  readonly param: readonly (readonly [name: string, value: Json])[];
}

/** `NAME=VALUE`, where VALUE is JSON, or else a text. */
export function parseParam(text: string): readonly [string, Json] {
  const [, name, value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("write NAME=VALUE, as eps=0.05");
  try {
    return [name, JSON.parse(value) as Json];
  } catch {
    return [name, value];
  }
}

/** `NAME=PATH`. */
export function parseInput(text: string): InputFile {
  const [, name, path] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || path === undefined) throw new InvalidArgumentError("write NAME=PATH, as in=drive.csv");
  return { name, path };
}

/** A file under its own name. */
export function inputOf(path: string): InputFile {
  return { name: basename(path), path };
}

/** All parameters. @throws {CommandError} `file` when the file has no JSON object */
export async function readParams({ params: file, param }: ParamOptions): Promise<JsonObject> {
  const base = file === undefined ? {} : await objectIn(file);
  return { ...base, ...Object.fromEntries(param) };
}

/**
 * What a file is, by its bytes.
 *
 * @param read  reads all of it; by itself it only names them
 * @throws {CommandError} `file` for a folder, or one that changed while it was read
 */
export async function nameBytes(
  { name, path }: InputFile,
  moving: Moving,
  read: (file: string, moving: Moving) => Promise<BlobRef> = hashOf,
): Promise<NamedBlob> {
  const before = await stat(path);
  if (before.isDirectory()) throw new CommandError("file", `${path} is a folder`, "name a file in it");
  const ref = await read(path, moving);
  const after = await stat(path);
  if (after.mtimeMs === before.mtimeMs && after.size === before.size) return { name, ...ref };
  throw new CommandError("file", `${path} changed while it was read`, "hand it in once nobody writes it any more");
}

async function hashOf(file: string, { onProgress, signal }: Moving): Promise<BlobRef> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file, {
    highWaterMark: FILE_PIECE_BYTES,
    signal,
  }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    onProgress(bytes);
  }
  return { sha256: hash.digest("hex"), bytes };
}

async function objectIn(file: string): Promise<JsonObject> {
  const text = await readFile(file, "utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CommandError("file", `${file} has no JSON`, 'write an object, as {"eps": 0.05}', { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new CommandError("file", `${file} has no JSON object`, 'write one, as {"eps": 0.05}');
}
