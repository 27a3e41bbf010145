/** What a reader of a guide does next: saves a file, or types commands. */
export type GuideStep =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  /** `shown` is what the guide says they print, or undefined where it does not say. */
  | { readonly kind: "commands"; readonly commands: string; readonly shown: string | undefined };

/** A part of a guide under a heading of the second level. */
export interface GuideSection {
  readonly title: string;
  readonly steps: readonly GuideStep[];
}

/**
 * The steps of a guide in Markdown: blocks of `sh` are commands, a block without language right below one is what
 * it prints, and any block after `<!-- file: NAME -->` is a file to save.
 */
export function guideSections(markdown: string): GuideSection[] {
  const [, ...parts] = markdown.split(/^## /m);
  return parts.map((part) => ({ title: part.slice(0, part.indexOf("\n")), steps: stepsOf(part) }));
}

function stepsOf(part: string): GuideStep[] {
  const blocks = /(?:^<!-- file: (\S+) -->\n)?^```(\w*)\n([\s\S]*?)^```\n(?:```\n([\s\S]*?)^```\n)?/gm;
  return [...part.matchAll(blocks)].flatMap(([, name, language, text = "", shown]): GuideStep[] => {
    if (name !== undefined) return [{ kind: "file", name, text }];
    return language === "sh" ? [{ kind: "commands", commands: text, shown }] : [];
  });
}
