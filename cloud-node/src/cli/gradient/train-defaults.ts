/** What `gradient train` does unless told otherwise. The options have no defaults: with --resume any that is given is refused. */
export const TRAIN_DEFAULTS = { workers: 2, compress: "none", patience: 10 } as const;
