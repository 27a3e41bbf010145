/*
 * The one instance of the trajectory codec: C that wasm2c made of trajectory.wasm, with memory of its own. Whatever a
 * damaged chunk makes it do stays in that memory: an access beyond it ends the work, and the next one begins afresh.
 */
#ifndef CORE_INSTANCE_H
#define CORE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trajectory-core.h"

/**
 * Work with the core, alone: others wait.
 *
 * @param work  may call what follows; whatever it allocates must be within reach of `context`, since it may end early
 * @returns false where the core was stopped, for an access beyond its memory
 */
bool core_run(void (*work)(void *context), void *context);

/* Within core_run: */

/** @returns the first address that is free, with `bytes` from it on, or 0 where there is no memory for that */
uint32_t core_reserve(uint64_t bytes);

/** The instance, for the calls of trajectory-core.h. Not to be kept over core_reserve. */
w2c_trajectory *core_instance(void);

/** Where an address of the core's memory is now. Not to be kept over core_reserve. */
uint8_t *core_at(uint32_t address);

#endif
