import type { SessionAnswer } from "../../src/api/schemas/session-schema.ts";

/**
 * How this page stands with the node.
 *
 * `asking`: not known yet. `open`: nobody has to log in. `in`: logged in. `out`: a token is needed, and nothing is shown.
 * `ended`: it was logged in, and what it shows stays.
 */
export type SessionState = "asking" | "open" | "in" | "out" | "ended";

/** What is known of the session. */
export interface SessionFacts {
  readonly state: SessionState;
  /** Of the token. */
  readonly name: string | null;
}

const SESSION_PATH = "/api/v1/session";
const HTTP_UNAUTHORIZED = 401;

/** This tab's log-in: the cookie itself is out of reach of any script. */
export class Session {
  readonly #onChange: (facts: SessionFacts) => void;
  #facts: SessionFacts = { state: "asking", name: null };

  constructor(onChange: (facts: SessionFacts) => void) {
    this.#onChange = onChange;
  }

  /** Ask the node how things stand; a node that does not answer changes nothing. */
  async check(): Promise<void> {
    const response = await fetch(SESSION_PATH).catch(() => undefined);
    if (response?.status === HTTP_UNAUTHORIZED) {
      const { state, name } = this.#facts;
      // What was shown stays: whoever logs in again goes on where he was.
      this.#become({ state: state === "asking" || state === "out" ? "out" : "ended", name });
    } else if (response?.ok === true) this.#enter((await response.json()) as SessionAnswer);
  }

  /** Log in. @returns what is wrong; undefined when all is well */
  async logIn(token: string): Promise<string | undefined> {
    const body = JSON.stringify({ token: token.trim() });
    const headers = { "content-type": "application/json" };
    try {
      const response = await fetch(SESSION_PATH, { method: "POST", headers, body });
      const answer = (await response.json()) as SessionAnswer & { readonly detail?: string };
      if (!response.ok) return sentence(answer.detail ?? `the node said ${response.status}`);
      this.#enter(answer);
      return undefined;
    } catch {
      return "The node does not answer. Is it running?";
    }
  }

  /** Log out: what was shown is gone. Where the node does not answer one stays logged in, and sees it. */
  async logOut(): Promise<void> {
    const response = await fetch(SESSION_PATH, { method: "DELETE" }).catch(() => undefined);
    if (response?.ok === true) this.#become({ state: "out", name: null });
  }

  #enter({ isOpen, name }: SessionAnswer): void {
    this.#become({ state: isOpen ? "open" : "in", name });
  }

  #become(facts: SessionFacts): void {
    if (facts.state === this.#facts.state && facts.name === this.#facts.name) return;
    this.#facts = facts;
    this.#onChange(facts);
  }
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
