const READS = "GET, HEAD, OPTIONS";
/** Where something else than reads is answered. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^\/api\/v1\/session$/, `${READS}, POST, DELETE`],
  [/^\/api\/v1\/updates$/, `${READS}, POST`],
  [/^\/api\/v1\/updates\/check$/, "OPTIONS, POST"],
  [/^\/api\/v1\/updates\/[^/]+$/, `${READS}, DELETE`],
  [/^\/api\/v1\/jobs$/, `${READS}, POST, DELETE`],
  [/^\/api\/v1\/jobs\/[^/]+\/(cancel|retry)$/, "OPTIONS, POST"],
  [/^\/api\/v1\/blobs\/[^/]+$/, `${READS}, PUT`],
];

/** The methods that are answered at an address, as a header `allow` names them. @param url  with or without a query */
export function allowedMethods(url: string): string {
  const path = url.replace(/[?#].*$/s, "");
  return OTHERS.find(([place]) => place.test(path))?.[1] ?? READS;
}
