/** What a token lets its holder do; a token has one or more of them, and none holds another. */
export const ROLES = ["read", "flash", "jobs"] as const;

/** `read`: everything that is shown. `flash`: updates of devices. `jobs`: heavy work. */
export type Role = (typeof ROLES)[number];
