import { useEffect, useState } from "preact/hooks";

const BARS_AFTER_MS = 200;
const WORDS_AFTER_MS = 5000;
const BARS = [1, 2, 3, 4, 5];

interface LoadingProps {
  readonly title: string;
  readonly awaited: string;
}

/** Nothing at first, then the layout in still grey bars, then what is waited for. */
export function Loading({ title, awaited }: LoadingProps) {
  const [stage, setStage] = useState(0);
  useEffect(() => {
    const timers = [BARS_AFTER_MS, WORDS_AFTER_MS].map((afterMs, i) =>
      window.setTimeout(() => setStage(i + 1), afterMs),
    );
    return () => {
      for (const timer of timers) window.clearTimeout(timer);
    };
  }, []);
  return (
    <main class="loading" aria-busy="true">
      <h1 class="unseen">{title}</h1>
      {stage > 0 && BARS.map((bar) => <div key={bar} class="grey-bar" aria-hidden="true" />)}
      <p role="status">{stage > 1 ? `Waiting for ${awaited}.` : ""}</p>
    </main>
  );
}
