import { stripVTControlCharacters } from "node:util";

/** What a workload or a stranger wrote, on one line, so that no terminal obeys it. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
}
