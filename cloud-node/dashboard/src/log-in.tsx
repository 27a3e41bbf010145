import { useEffect, useRef, useState } from "preact/hooks";
import type { Session } from "./session.ts";

interface LogInProps {
  readonly session: Session;
}

/** Asks for a token. */
export function LogInForm({ session }: LogInProps) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const logIn = async (event: Event): Promise<void> => {
    event.preventDefault();
    const token = field.current?.value ?? "";
    if (isBusy || token === "") return;
    setBusy(true);
    const wrong = await session.logIn(token);
    setBusy(false);
    setProblem(wrong ?? "");
    if (wrong !== undefined) field.current?.select();
  };
  return (
    <form class="log-in-form" onSubmit={logIn}>
      <label for="token">Token</label>
      <input
        id="token"
        ref={field}
        type="password"
        name="token"
        autocomplete="current-password"
        spellcheck={false}
        maxLength={256}
        required
        aria-invalid={problem !== ""}
        aria-describedby="token-problem"
      />
      <button type="submit" aria-disabled={isBusy}>
        Log in
      </button>
      <p id="token-problem" class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

/** All that is shown to whoever is not logged in. */
export function LogInPage({ session }: LogInProps) {
  useEffect(() => {
    document.title = "Log in · Lockstep";
  }, []);
  return (
    <main class="page log-in">
      <h1>Log in to Lockstep</h1>
      <LogInForm session={session} />
      <p class="note">
        Whoever runs this node makes a token there: <code>lockstep tokens add NAME --role read</code>
      </p>
    </main>
  );
}

/** The same above a view that stays: its session has ended. */
export function LogInBanner({ session }: LogInProps) {
  return (
    <section class="banner" aria-label="Log in">
      <p>
        <strong>The session has ended.</strong> What is below is as it was. Log in, and it goes on.
      </p>
      <LogInForm session={session} />
    </section>
  );
}
