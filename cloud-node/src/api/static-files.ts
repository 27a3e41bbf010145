import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** One file of the page, ready to be sent. */
export interface StaticFile {
  readonly bytes: Buffer;
  /** The same, compressed; undefined where that would not help. */
  readonly gzipped: Buffer | undefined;
  readonly type: string;
  /** Its name changes with its content. */
  readonly isHashed: boolean;
}

/** The built page, read once: a request can name nothing but these files. */
export class StaticFiles {
  readonly #files = new Map<string, StaticFile>();

  /** @param folder  Vite's output; a folder that does not exist gives a page that says so */
  constructor(folder: string) {
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const url = `/${path.slice(folder.length).replaceAll("\\", "/").replace(/^\/+/, "")}`;
      const type = CONTENT_TYPES[extname(entry.name)] ?? "application/octet-stream";
      const bytes = readFileSync(path);
      const gzipped = gzipSync(bytes);
      this.#files.set(url, {
        bytes,
        gzipped: gzipped.length < bytes.length ? gzipped : undefined,
        type,
        isHashed: url.startsWith("/assets/"),
      });
    }
  }

  /** The file at a path; "/" is the page itself. */
  get(path: string): StaticFile | undefined {
    return this.#files.get(path === "/" ? "/index.html" : path);
  }
}
