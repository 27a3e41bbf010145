import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { replaceFile } from "../language-model/replace-file.ts";
import { type Example, shownName } from "./example.ts";
import { LoraError } from "./lora-error.ts";
import { type Dataset, refuseLeaks } from "./make-dataset.ts";

/** As MLX-LM looks for them in a folder. */
const PART_FILES = { train: "train.jsonl", validation: "valid.jsonl", test: "test.jsonl" } as const;

const message = v.looseObject({ role: v.string(), content: v.string() });
const lineSchema = v.looseObject({
  messages: v.pipe(v.array(message), v.minLength(2)),
  category: v.optional(shownName, "other"),
  pattern: v.optional(v.string(), ""),
});

/** An example as a line of a chat, which MLX-LM and TRL read: the names beside `messages` are ours, and both pass them by. */
export function chatLine({ prompt, answer, category, pattern }: Example): string {
  const messages = [
    { role: "user", content: prompt },
    { role: "assistant", content: answer },
  ];
  return `${JSON.stringify({ messages, category, pattern })}\n`;
}

/**
 * Write the parts of a data set into a folder.
 *
 * @returns SHA-256 of each file by its name, hexadecimal
 */
export async function writeDataset(folder: string, dataset: Dataset): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true });
  const digests: Record<string, string> = {};
  for (const [part, file] of Object.entries(PART_FILES)) {
    const text = dataset[part as keyof Dataset].map(chatLine).join("");
    await replaceFile(join(folder, file), [text]);
    digests[file] = createHash("sha256").update(text).digest("hex");
  }
  return digests;
}

/**
 * Read the parts of a data set from a folder; the test must not ask what training has.
 *
 * @throws {LoraError} `bad-dataset` with file and line; `leaked-prompt`
 */
export async function readDataset(folder: string): Promise<Dataset> {
  const [train, validation, test] = await Promise.all(
    Object.values(PART_FILES).map(async (file) => parseChat(join(folder, file), await textOf(join(folder, file)))),
  );
  const dataset = { train: train ?? [], validation: validation ?? [], test: test ?? [] };
  refuseLeaks(dataset);
  return dataset;
}

/** @param name  for errors @throws {LoraError} `bad-dataset` */
export function parseChat(name: string, text: string): Example[] {
  const examples = text
    .split("\n")
    .flatMap((line, at) => (line.trim() === "" ? [] : [parseLine(line, `${name}:${at + 1}`)]));
  if (examples.length === 0) throw badDataset(`${name} has no examples`);
  return examples;
}

function parseLine(line: string, place: string): Example {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw badDataset(`${place}: no JSON`, cause);
  }
  const { output, issues } = v.safeParse(lineSchema, parsed);
  if (issues !== undefined) throw badDataset(`${place}: ${v.getDotPath(issues[0]) ?? "line"}: ${issues[0].message}`);
  const { messages, category, pattern } = output;
  const [user, assistant, ...more] = messages.filter(({ role }) => role !== "system");
  if (user?.role !== "user" || assistant?.role !== "assistant" || more.length > 0 || assistant.content === "") {
    throw badDataset(`${place}: it is no question of a user with one answer`);
  }
  return { prompt: user.content, answer: assistant.content, category, pattern };
}

async function textOf(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw badDataset(isAbsent ? `there is no ${path}` : `${path} cannot be read as UTF-8`, cause);
  }
}

function badDataset(problem: string, cause?: unknown): LoraError {
  return new LoraError("bad-dataset", problem, "make the folder with `lockstep lora generate`", { cause });
}
