import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { extname, join } from "node:path";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
/** Nothing from another origin, no inline script, and no frame of another site around the page. */
const CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'";

/** The built page, read once: a request can name nothing but these files. */
export class StaticFiles {
  readonly #files = new Map<string, { readonly bytes: Buffer; readonly type: string; readonly isHashed: boolean }>();

  /** @param folder  Vite's output; a folder that does not exist gives a page that says so */
  constructor(folder: string) {
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const url = `/${path.slice(folder.length).replaceAll("\\", "/").replace(/^\/+/, "")}`;
      const type = CONTENT_TYPES[extname(entry.name)] ?? "application/octet-stream";
      this.#files.set(url, { bytes: readFileSync(path), type, isHashed: url.startsWith("/assets/") });
    }
  }

  /** Answer a request for a file; "/" is the page itself. */
  serve(path: string, response: ServerResponse): void {
    const file = this.#files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) {
      const isUnbuilt = this.#files.size === 0;
      const text = isUnbuilt ? "The page is not built: type `npm run build` in the clone.\n" : "Not found.\n";
      response.writeHead(isUnbuilt ? 503 : 404, { ...SECURITY_HEADERS, "content-type": "text/plain; charset=utf-8" });
      response.end(text);
      return;
    }
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      "content-type": file.type,
      "content-length": file.bytes.length,
      "cache-control": file.isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    });
    response.end(file.bytes);
  }
}

const SECURITY_HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;
