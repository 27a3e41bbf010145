/* The translated module asserts nothing. */
#define assert(fact) ((void)0)
