/** A queue's URL as it may be shown: without the name, the password or the token that may be in it. */
export function maskedUrl(url: string): string {
  return url.replace(/\/\/.*@/s, "//…@");
}
