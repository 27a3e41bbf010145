import { readFile, stat } from "node:fs/promises";
import { isLoopback } from "../access/loopback-address.ts";
import { isSecret } from "../access/secret-token.ts";
import { isOpenToOthers } from "../owner-file.ts";
import { CommandError } from "./command-error.ts";
import type { Surroundings } from "./surroundings.ts";

/** The variable that a token is taken from where no file is named. */
const VARIABLE = "LOCKSTEP_TOKEN";
/** A token has 47 characters. */
const MAX_BYTES = 4_096;

/** How a command that asks a node says who it is. */
export interface TokenOptions {
  readonly tokenFile?: string | undefined;
}

/** What the option does, for a command's help. */
export const TOKEN_FILE_HELP = `what \`lockstep tokens add\` showed, in a file of yours alone (default: ${VARIABLE})`;

/**
 * The token to show to a node; undefined where none was given. It is never an argument: everybody here could see it.
 *
 * @param node  address that it is sent to
 * @throws {CommandError} `file` when others can read the file, or what it has is no token; `usage` likewise for the variable
 */
export async function readToken(
  { env, stderr }: Pick<Surroundings, "env" | "stderr">,
  { tokenFile }: TokenOptions,
  node: string,
): Promise<string | undefined> {
  const token = tokenFile === undefined ? env[VARIABLE]?.trim() : await tokenIn(tokenFile);
  if (token === undefined || token === "") return undefined;
  if (!isSecret(token)) {
    const problem = `what ${tokenFile ?? VARIABLE} has is no token`;
    throw new CommandError(
      tokenFile === undefined ? "usage" : "file",
      problem,
      "give what `lockstep tokens add` showed",
    );
  }
  const { protocol, hostname } = new URL(node);
  if (protocol === "http:" && !isLoopback(hostname)) {
    stderr.write(
      `lockstep: the token goes to ${hostname} unencrypted, for everybody on the way to read: use https://\n`,
    );
  }
  return token;
}

/** What an option that names such a file does, for a command's help. */
export const CA_HELP = "certificate, PEM, of who signed that of a node at https://, where it is nobody that all know";

/** Take what this authority signed for good, beside those that all know. @param file  its certificate, PEM */
export async function trustAuthority(file: string): Promise<void> {
  const { getCACertificates, setDefaultCACertificates } = await import("node:tls");
  setDefaultCACertificates([...getCACertificates("default"), await readFile(file, "utf8")]);
}

async function tokenIn(file: string): Promise<string> {
  const facts = await stat(file);
  const { size } = facts;
  if (isOpenToOthers(facts)) {
    throw new CommandError("file", `${file} can be read by others`, `make it yours alone, chmod 600 ${file}`);
  }
  if (size > MAX_BYTES) throw new CommandError("file", `${file} has ${size} bytes`, "give a token's file");
  return (await readFile(file, "utf8")).trim();
}
