/* One module as call-server.c sees it; served-module.c is generated for each. */
#ifndef SERVED_MODULE_H
#define SERVED_MODULE_H

#include "wasm-rt.h"

/** Most parameters or results of an exported function. */
#define SERVED_VALUES_MAX 64

/** Instantiate the module anew. */
void served_start(void);

/** The module's exported memory, NULL without one. */
wasm_rt_memory_t *served_memory(void);

/** Parameters of the export at this place, 0 where there is none. */
uint32_t served_params(uint32_t place);

/** Call a function or read a global; an i32 is the low half. @returns how many results were written */
uint32_t served_call(uint32_t place, const uint64_t *args, uint64_t *results);

/* The server's, called by served_call just before a function of the module and just after: between them it is counted. */
void served_before(void);
void served_after(void);

#endif
