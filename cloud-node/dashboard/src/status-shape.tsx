import type { DeviceState } from "../../src/api/device-state.ts";

/** A state as a shape and a word: never as a colour alone. */
const SHAPES: Readonly<
  Record<DeviceState, { readonly word: string; readonly path: string; readonly isOutline?: boolean }>
> = {
  fault: { word: "Fault", path: "M6 1 11.5 11H.5Z" },
  offline: { word: "Offline", path: "M1.5 1.5 10.5 10.5M10.5 1.5 1.5 10.5", isOutline: true },
  "catching-up": { word: "Catching up", path: "M6 .5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Zm0 1.5v8a4 4 0 0 0 0-8Z" },
  quiet: { word: "Quiet", path: "M6 1.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6Z", isOutline: true },
  live: { word: "Live", path: "M6 .5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z" },
};

/** The state of a device, with its shape before it. */
export function StatusShape({ state }: { readonly state: DeviceState }) {
  // A node newer than this page may know more states.
  const { word, path, isOutline = false } = SHAPES[state] ?? { ...SHAPES.quiet, word: state };
  return (
    <span class={`state ${state}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path
          d={path}
          fill-rule="evenodd"
          fill={isOutline ? "none" : "currentColor"}
          stroke={isOutline ? "currentColor" : "none"}
          stroke-width="2"
        />
      </svg>
      {word}
    </span>
  );
}
