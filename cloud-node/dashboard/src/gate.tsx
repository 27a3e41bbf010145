import { useEffect, useMemo, useState } from "preact/hooks";
import { App } from "./app.tsx";
import { LogInPage } from "./log-in.tsx";
import { Session, type SessionFacts } from "./session.ts";

/** The page, or what one logs in with. It is shown at once: a node on which nobody has to log in is not waited for. */
export function Gate() {
  const [facts, setFacts] = useState<SessionFacts>({ state: "asking", name: null });
  const session = useMemo(() => new Session(setFacts), []);
  useEffect(() => void session.check(), [session]);
  const isOut = facts.state === "out" || facts.state === "ended";
  useEffect(() => {
    // Somebody may have logged in meanwhile, in another tab.
    const look = (): void => {
      if (isOut && !document.hidden) void session.check();
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [session, isOut]);
  return facts.state === "out" ? <LogInPage session={session} /> : <App session={session} facts={facts} />;
}
