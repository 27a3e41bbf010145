import { readFile } from "node:fs/promises";
import type { BrokerAddress } from "../broker-reach.ts";
import { CommandError } from "./command-error.ts";

/** What a command was told of a broker. */
export interface BrokerChoice {
  /** mqtts://USER@HOST:PORT */
  readonly url: string | undefined;
  readonly passwordFile: string | undefined;
  readonly ca: string | undefined;
}

/** The options' names. */
export interface BrokerOptions {
  readonly url: string;
  readonly passwordFile: string;
}

/**
 * The broker that was named, with what is in files read.
 *
 * @returns undefined where none was
 * @throws {CommandError} `usage`, `file`; no message repeats a secret
 */
export async function readBrokerAddress(
  options: BrokerOptions,
  { url: told, passwordFile, ca: caFile }: BrokerChoice,
): Promise<BrokerAddress | undefined> {
  const example = `${options.url} mqtts://USER@HOST:PORT`;
  if (told === undefined) {
    if (passwordFile === undefined && caFile === undefined) return undefined;
    throw new CommandError("usage", "it is not said which broker these are for", `add ${example}`);
  }
  const [, protocol, user, host] = /^(mqtts?:\/\/)(?:([^/@\s]+)@)?([^/@\s]+)\/?$/.exec(told) ?? [];
  const isAddress = URL.canParse(`${protocol}${host}`) && new URL(`${protocol}${host}`).port !== "0";
  if (host === undefined || !isAddress || user?.includes(":") === true) {
    // Not repeated: a password may be in it.
    const problem = told.includes("@") ? `${options.url} has more than a user in it` : `${options.url} is no broker`;
    const remedy = `write mqtts://USER@HOST:PORT, and the password into a file for ${options.passwordFile}`;
    throw new CommandError("usage", problem, remedy);
  }
  const password = passwordFile === undefined ? undefined : await readPassword(passwordFile);
  if (password !== undefined && user === undefined) {
    throw new CommandError("usage", "there is a password and no user", `write ${example}`);
  }
  const ca = caFile === undefined ? undefined : await readText(caFile);
  return { url: `${protocol}${host}`, user: user === undefined ? undefined : decodedUser(user), password, ca };
}

/** As addresses write it, with %40 for an @; one that is not is taken as it stands. */
function decodedUser(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function readPassword(file: string): Promise<string> {
  const [password = ""] = (await readText(file)).split(/\r?\n/);
  if (password === "") throw new CommandError("file", `${file} has no password in its first line`, "write it there");
  return password;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError("file", `${file} cannot be read (${detail})`, "give a file that this user may read", {
      cause,
    });
  }
}
