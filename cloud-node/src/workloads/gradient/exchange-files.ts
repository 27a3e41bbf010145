/** What a run has beside the files of one that is trained alone: the account, and bytes every ten steps. */
export const EXCHANGE_FILES = ["exchange.json", "exchange.csv"] as const;
