const IDENTIFIER = /^[A-Za-z0-9_-]*$/;

/** Of the names of devices and groups. */
export const MAX_NAME_LENGTH = 64;
/** With `l/` before it, a topic of at most eight bytes. */
export const MAX_ALIAS_LENGTH = 6;

/** Whether a text consists of `[A-Za-z0-9_-]` only, as devices, groups and aliases do. The empty text does. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text);
}

/** Most bytes of the name of a job's input or output, in UTF-8. */
const MAX_BLOB_NAME_BYTES = 255;

/**
 * Whether a job's input or output may have a name: 1 … 255 bytes of UTF-8 without lone surrogates and control characters
 * (U+0000–001F, U+007F–009F), and one that can be a file's, without `/` and `\\`, neither `.` nor `..`.
 */
export function isBlobName(text: string): boolean {
  if (text === "" || text === "." || text === ".." || text.length > MAX_BLOB_NAME_BYTES) return false;
  if (!isPlainText(text) || /[/\\]/.test(text)) return false;
  return new TextEncoder().encode(text).length <= MAX_BLOB_NAME_BYTES;
}

/** Whether a text has no lone surrogate and none of the control characters U+0000–001F and U+007F–009F. */
export function isPlainText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) {
      return false;
    }
  }
  return text.isWellFormed();
}
