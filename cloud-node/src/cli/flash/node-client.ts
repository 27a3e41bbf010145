import type { UpdateAnswer, UpdateCheckAnswer, UpdateSummary, UpdatesAnswer } from "../../api/schemas/update-schema.ts";
import { CommandError } from "../command-error.ts";

/** What a device says, as the node tells it. */
export interface DeviceUpdateAnswer {
  readonly id: string;
  readonly isAnswering: boolean;
  readonly state: UpdateCheckAnswer["devices"][number]["state"];
  readonly update: UpdateAnswer | null;
}

/** How an update is to be rolled out. */
export interface RolloutChoice {
  readonly to: readonly string[];
  readonly stages: readonly number[];
  readonly maxFailures: number;
  readonly isSkipping: boolean;
}

const HTTP_UNAUTHORIZED = 401;

/** The updates of a node, over its API. Every call throws {CommandError}: `not-reachable`, `refused`. */
export class NodeClient {
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #identity: Readonly<Record<string, string>>;

  /** @param url  of the node's page. @param token  to show to it; undefined: none */
  constructor(url: string, token: string | undefined, signal: AbortSignal) {
    this.#url = url.replace(/\/+$/, "");
    this.#signal = signal;
    this.#identity = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async check(bytes: Uint8Array, to: readonly string[]): Promise<UpdateCheckAnswer> {
    return (await this.#send(
      "POST",
      `/updates/check?${new URLSearchParams({ to: to.join(",") })}`,
      bytes,
    )) as UpdateCheckAnswer;
  }

  async start(bytes: Uint8Array, { to, stages, maxFailures, isSkipping }: RolloutChoice): Promise<UpdateAnswer> {
    const query = new URLSearchParams({
      ...{ to: to.join(","), stages: stages.join(",") },
      ...{ maxFailures: String(maxFailures), skip: String(isSkipping) },
    });
    return (await this.#send("POST", `/updates?${query}`, bytes)) as UpdateAnswer;
  }

  /** All that are remembered, newest first. */
  async list(): Promise<UpdateSummary[]> {
    const found: UpdateSummary[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const { updates, next } = (await this.#send(
        "GET",
        `/updates${cursor === "" ? "" : `?cursor=${cursor}`}`,
      )) as UpdatesAnswer;
      found.push(...updates);
      cursor = next;
    }
    return found;
  }

  async update(id: string): Promise<UpdateAnswer> {
    return (await this.#send("GET", `/updates/${encodeURIComponent(id)}`)) as UpdateAnswer;
  }

  async cancel(id: string): Promise<UpdateAnswer> {
    return (await this.#send("DELETE", `/updates/${encodeURIComponent(id)}`)) as UpdateAnswer;
  }

  async device(id: string): Promise<DeviceUpdateAnswer> {
    return (await this.#send("GET", `/devices/${encodeURIComponent(id)}/update`)) as DeviceUpdateAnswer;
  }

  /** An update at every change, until it is over or the connection is. */
  async *changes(id: string): AsyncGenerator<UpdateAnswer> {
    const response = await this.#fetch("GET", `/updates/${encodeURIComponent(id)}/stream`);
    if (!response.ok || response.body === null) throw await this.#refusal(response);
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) {
        const [, data] = /^event: update\n.*^data: (.*)$/ms.exec(message) ?? [];
        if (data !== undefined) yield JSON.parse(data) as UpdateAnswer;
      }
    }
  }

  async #send(method: string, path: string, body?: Uint8Array): Promise<unknown> {
    const response = await this.#fetch(method, path, body);
    if (!response.ok) throw await this.#refusal(response);
    return await response.json();
  }

  async #fetch(method: string, path: string, body?: Uint8Array): Promise<Response> {
    const type = body === undefined ? {} : { "content-type": "application/octet-stream" };
    const headers = { ...this.#identity, ...type };
    try {
      return await fetch(`${this.#url}/api/v1${path}`, {
        // Where it leads elsewhere is not followed: the token is for this node.
        ...{ method, headers, signal: this.#signal, redirect: "error" },
        ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      });
    } catch (cause) {
      if (this.#signal.aborted) throw cause;
      const remedy = "start `lockstep serve`, or say where its page is with --node URL";
      throw new CommandError("not-reachable", `no node answers at ${this.#url}`, remedy, { cause });
    }
  }

  async #refusal(response: Response): Promise<CommandError> {
    const problem: unknown = await response.json().catch(() => undefined);
    const isProblem = typeof problem === "object" && problem !== null && "detail" in problem;
    if (isProblem) {
      const remedy = response.status === HTTP_UNAUTHORIZED ? "show one with --token-file FILE, or LOCKSTEP_TOKEN" : "";
      return new CommandError("refused", String(problem.detail), remedy);
    }
    const remedy = "give the address of a node's page";
    return new CommandError("not-reachable", `${this.#url} answers ${response.status}, and is no node`, remedy);
  }
}
