import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { ROLES, type Role } from "../access/role.ts";
import type { TokenRecord } from "../access/token-record.ts";
import { CommandError } from "./command-error.ts";
import { DEFAULT_STORE_FILE } from "./defaults.ts";
import { parsePositive } from "./option-values.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

const HELP = `
Who may ask a node for what: the page, the API, and the commands that use it. Tokens are in a file beside the store, hashed,
yours alone; what is changed holds within a second on a node that runs, and a revoked token's streams end.
While none was ever made everybody on the node's own machine may ask, and it listens nowhere else.

  read    everything that is shown: the page, history, metrics
  flash   updates of devices
  jobs    heavy work

Examples:
  $ lockstep tokens add ops --role read --role flash --expires 90
  $ lockstep tokens list
  $ lockstep tokens revoke ops`;

interface BookOptions {
  readonly store: string;
  readonly json?: boolean;
}

interface AddOptions extends BookOptions {
  readonly role: readonly Role[];
  readonly expires?: number;
}

/** `lockstep tokens`: who may ask a node for what. */
export function addTokens(program: Command, surroundings: Surroundings): void {
  const tokens = program
    .command("tokens")
    .summary("who may ask a node for what: make, revoke, list tokens")
    .description("Tokens for the page and the API of a node, each with roles.")
    .addHelpText("after", HELP);
  tokens
    .command("add")
    .summary("make a token; it is shown once")
    .description("Make a token, and show it: it is kept nowhere, so nobody can show it again.")
    .argument("<NAME>", "whose it is: 1 to 64 letters, digits, _ . or -")
    .option("--role <ROLE>", `${ROLES.join(", ")}; may be repeated`, collectRole, [])
    .option("--expires <DAYS>", "good for so long (default: until it is revoked)", parsePositive)
    .option("--store <FILE>", "SQLite file of the node", DEFAULT_STORE_FILE)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep tokens add ops --role read --role flash --expires 90")
    .action((name: string, options: AddOptions) => runAdd(surroundings, name, options));
  tokens
    .command("revoke")
    .summary("let a token open nothing more")
    .description("Revoke a token, for good: its log-ins and its streams end. Its name may be used again.")
    .argument("<NAME>", "as `lockstep tokens list` has it")
    .option("--store <FILE>", "SQLite file of the node", DEFAULT_STORE_FILE)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep tokens revoke ops")
    .action((name: string, options: BookOptions) => runRevoke(surroundings, name, options));
  tokens
    .command("list")
    .summary("every token, its roles and how long it is good")
    .description("List every token; none can be shown again.")
    .option("--store <FILE>", "SQLite file of the node", DEFAULT_STORE_FILE)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep tokens list --store lockstep.db")
    .action((options: BookOptions) => runList(surroundings, options));
}

function collectRole(text: string, before: readonly Role[]): readonly Role[] {
  const role = ROLES.find((one) => one === text);
  if (role === undefined) throw new InvalidArgumentError(`write one of ${ROLES.join(", ")}`);
  return [...before, role];
}

async function runAdd(surroundings: Surroundings, name: string, options: AddOptions): Promise<void> {
  const { role: roles, expires: days, store, json } = options;
  if (roles.length === 0) {
    throw new CommandError("usage", `a token without a role opens nothing`, `give --role ${ROLES.join(", --role ")}`);
  }
  const book = await bookOf(store);
  const { record, secret } = await book.add({ name, roles, days }, nowMs(surroundings));
  if (!existsSync(store)) {
    surroundings.stderr.write(
      `lockstep: there is no ${store} yet: the token is for a node that will be started on it\n`,
    );
  }
  const { added, expires } = record;
  const told = { name, roles: record.roles, added, expires, file: book.file, token: secret };
  const until = expires === null ? "until it is revoked" : `until ${expires}`;
  const lines = [`token ${name} (${record.roles.join(", ")}), good ${until}; it is not shown again:`, secret];
  await writeResult(surroundings, json, told, lines.join("\n"));
}

async function runRevoke(surroundings: Surroundings, name: string, { store, json }: BookOptions): Promise<void> {
  const book = await bookOf(store);
  const isNew = await book.revoke(name, nowMs(surroundings));
  const line = `token ${name} ${isNew ? "is revoked" : "was revoked before"}, in ${book.file}`;
  await writeResult(surroundings, json, { name, revoked: true, isNew, file: book.file }, line);
}

async function runList(surroundings: Surroundings, { store, json }: BookOptions): Promise<void> {
  const book = await bookOf(store);
  const records = (await book.read()) ?? [];
  const now = nowMs(surroundings);
  const { isGood } = await import("../access/token-record.ts");
  const tokens = records.map((record) => {
    const { name, roles, added, expires, revoked } = record;
    return { name, roles, added, expires, revoked, isGood: isGood(record, now) };
  });
  const none = `there are no tokens: everybody on this machine may ask; make one with \`lockstep tokens add NAME --role read\``;
  const lines = tokens.map((token) => `${token.name}  ${token.roles.join(", ")}  ${standing(token)}`);
  await writeResult(surroundings, json, { file: book.file, tokens }, lines.length === 0 ? none : lines.join("\n"));
}

function standing({ revoked, expires, isGood }: Omit<TokenRecord, "hash"> & { readonly isGood: boolean }): string {
  if (revoked !== null) return `revoked ${revoked}`;
  if (expires === null) return "good until it is revoked";
  return `${isGood ? "good until" : "expired"} ${expires}`;
}

async function bookOf(store: string) {
  const { TokenBook } = await import("../access/token-book.ts");
  return new TokenBook(store);
}

/** Unix time. */
function nowMs({ clock }: Surroundings): number {
  return clock.unixUs() / 1000;
}
