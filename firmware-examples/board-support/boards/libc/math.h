/* The translated module names this header; integers have no use for it. */
