/** Links of Markdown as a Git host shows it: to a file by its relative path, to a heading by the host's own anchor. */

/** A link that is not to another site. `anchor` is empty where it names none, `path` where it is to its own document. */
export interface MarkdownLink {
  readonly path: string;
  readonly anchor: string;
}

/** Fences and code within a line: what looks like a link there is none. */
const FENCE = /^( *)(```+|~~~+)[^\n]*\n.*?^ *\2 *$/gms;
const CODE = /(?<!`)(`+)(?!`)(?:(?!\n\n).)*?(?<!`)\1(?!`)/gs;
const TARGETS = [
  /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g,
  /^\[[^\]]+\]:\s*(\S+)/gm,
  /<(?:a|img)\s[^>]*?(?:href|src)="([^"]+)"/g,
];
const ELSEWHERE = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;

/** Every link of a document to something in the repository. */
export function linksOf(markdown: string): MarkdownLink[] {
  const prose = markdown.replace(FENCE, "").replace(CODE, "");
  return TARGETS.flatMap((pattern) => [...prose.matchAll(pattern)])
    .map(([, target = ""]) => target)
    .filter((target) => !ELSEWHERE.test(target))
    .map((target) => {
      const [path = "", anchor = ""] = target.split("#");
      return { path: decodeURI(path), anchor: decodeURI(anchor) };
    });
}

/**
 * The anchors of a document's headings, as GitHub makes them: small letters, no punctuation, hyphens for spaces, and a
 * number behind what is there already.
 */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of markdown.replace(FENCE, "").matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    let name = anchor;
    for (let n = 1; anchors.has(name); n++) name = `${anchor}-${n}`;
    anchors.add(name);
  }
  return anchors;
}
