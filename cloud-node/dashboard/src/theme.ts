/** What a person chose; "system" follows the operating system. */
export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const STORAGE_KEY = "lockstep-theme";

/** Tokens that the canvas draws with: it cannot read CSS variables itself. */
export interface PlotTokens {
  readonly panel: string;
  readonly ink: string;
  readonly ink2: string;
  readonly rule: string;
  readonly raise: string;
  readonly edge: string;
  /** Colours of up to four lines in one plot. */
  readonly series: readonly [s1: string, s2: string, s3: string, s4: string];
  readonly warn: string;
  readonly bad: string;
  /** Opacity of the eps band. */
  readonly bandAlpha: number;
}

const LIGHT_BAND_ALPHA = 0.3;
const DARK_BAND_ALPHA = 0.35;

/** The theme chosen in this browser. */
export function storedTheme(): Theme {
  const stored = localStorage.getItem(STORAGE_KEY);
  return THEMES.find((theme) => theme === stored) ?? "system";
}

/** The next of system, light, dark. */
export function nextTheme(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
}

/** Show the page in a theme, and remember it. */
export function applyTheme(theme: Theme): void {
  localStorage.setItem(STORAGE_KEY, theme);
  document.documentElement.style.colorScheme = theme === "system" ? "light dark" : theme;
}

/** Whether what is shown is dark, whoever decided it. */
export function isDark(): boolean {
  const scheme = document.documentElement.style.colorScheme;
  if (scheme === "dark" || scheme === "light") return scheme === "dark";
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The tokens as they are now; read again when theme, contrast or pixel ratio change. */
export function plotTokens(): PlotTokens {
  const probe = document.createElement("span");
  document.body.append(probe);
  const color = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const tokens = {
    panel: color("panel"),
    ink: color("ink"),
    ink2: color("ink2"),
    rule: color("rule"),
    raise: color("raise"),
    edge: color("edge"),
    series: [color("s1"), color("s2"), color("s3"), color("s4")] as const,
    warn: color("warn"),
    bad: color("bad"),
    bandAlpha: isDark() ? DARK_BAND_ALPHA : LIGHT_BAND_ALPHA,
  };
  probe.remove();
  return tokens;
}

/** Call back when the tokens, or the pixels that they are drawn with, may have changed. @returns ends it */
export function onTokensChange(callback: () => void): () => void {
  const queries = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"];
  const watched = queries.map((query) => window.matchMedia(query));
  let resolution: MediaQueryList | undefined;
  const onResolution = (): void => {
    // A query for a ratio is true for that one alone: each time another is asked.
    resolution?.removeEventListener("change", onResolution);
    resolution = window.matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    resolution.addEventListener("change", onResolution);
    callback();
  };
  for (const media of watched) media.addEventListener("change", callback);
  onResolution();
  return () => {
    for (const media of watched) media.removeEventListener("change", callback);
    resolution?.removeEventListener("change", onResolution);
  };
}
