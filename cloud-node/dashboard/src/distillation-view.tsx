import { useRef } from "preact/hooks";
import type { LiveJob } from "../../src/api/job-watch.ts";
import type { JobAnswer } from "../../src/api/schemas/job-schema.ts";
import { STAGES } from "../../src/workloads/distillation/stages.ts";
import { distillationFacts, type KeptCapability, type LossPoint } from "./distillation-facts.ts";

const WIDTH = 320;
const HEIGHT = 64;
const PAD = 2;
/** Points of a running step that are remembered. */
const MOST_POINTS = 500;

interface DistillationViewProps {
  readonly job: JobAnswer;
  readonly progress: LiveJob["progress"];
}

/** A step of a distillation: where it is among the stages, how it learns, and what of each capability is kept. */
export function DistillationView({ job, progress }: DistillationViewProps) {
  const { stage, step, losses, capabilities } = distillationFacts(job, progress);
  const seen = useRef<LossPoint[]>([]);
  const last = losses.at(-1);
  // Progress has the newest loss alone; what came before it is remembered here, while the panel is open.
  if (losses.length === 1 && last !== undefined && seen.current.at(-1)?.step !== last.step) {
    if ((seen.current.at(-1)?.step ?? 0) > last.step) seen.current = [];
    seen.current = [...seen.current, last].slice(-MOST_POINTS);
  }
  const curve = losses.length > 1 ? losses : seen.current;
  return (
    <div class="distillation">
      <ol class="stages" aria-label="Stages of the distillation">
        {STAGES.map(({ number, name, what }) => (
          <li
            key={name}
            class={stageClass(number, stage)}
            aria-current={number === stage ? "step" : undefined}
            title={what}
          >
            {number} {name}
          </li>
        ))}
      </ol>
      {step !== "" && <p class="note">Step {step}</p>}
      {curve.length > 1 && <LossCurve points={curve} />}
      {capabilities.length > 0 && <RetentionBars capabilities={capabilities} />}
    </div>
  );
}

function stageClass(number: number, stage: number | undefined): string {
  if (stage === undefined || number > stage) return "stage";
  return number === stage ? "stage now" : "stage past";
}

function LossCurve({ points }: { readonly points: readonly LossPoint[] }) {
  const [first, last] = [points[0] as LossPoint, points.at(-1) as LossPoint];
  const highest = Math.max(...points.map(({ loss }) => loss));
  const x = (step: number) => PAD + ((step - first.step) / (last.step - first.step || 1)) * (WIDTH - 2 * PAD);
  const y = (loss: number) => PAD + (1 - loss / (highest || 1)) * (HEIGHT - 2 * PAD);
  const line = points.map(({ step, loss }) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
  const said = `Loss ${first.loss.toFixed(3)} at step ${first.step}, ${last.loss.toFixed(3)} at step ${last.step}`;
  return (
    <figure class="loss">
      <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={said}>
        <polyline points={line} />
      </svg>
      <figcaption>{said}, nats</figcaption>
    </figure>
  );
}

function RetentionBars({ capabilities }: { readonly capabilities: readonly KeptCapability[] }) {
  return (
    <ul class="retention" aria-label="Exact answers for each of the teacher's">
      {capabilities.map(({ category, retention, low, high }) => (
        <li key={category}>
          <span>{category}</span>
          <meter aria-label={`Retention of ${category}`} min={0} max={1} value={Math.min(1, retention)} />
          <span>
            {retention.toFixed(3)} ({low.toFixed(3)} to {high.toFixed(3)})
          </span>
        </li>
      ))}
    </ul>
  );
}
