const IDENTIFIER = /^[A-Za-z0-9_-]*$/;

/** Of the names of devices and groups. */
export const MAX_NAME_LENGTH = 64;
/** With `l/` before it, a topic of at most eight bytes. */
export const MAX_ALIAS_LENGTH = 6;

/** Whether a text consists of `[A-Za-z0-9_-]` only, as devices, groups and aliases do. The empty text does. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text);
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
