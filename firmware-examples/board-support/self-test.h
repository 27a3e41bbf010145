/*
 * The core proves itself on this very chip: it encodes samples that its package names by a seed, and what comes out must be
 * what came out where the package was made. @see protocol/SPEC.md, section 8, "Self-test"
 */
#ifndef SELF_TEST_H
#define SELF_TEST_H

#include "boot-record.h"
#include "edge_core.h"

/**
 * Run the test on an instance that was just started; its state is worthless afterwards.
 *
 * @param bytes  of the core's memory that the test may use
 * @returns whether the core did what the test says; false also where there is too little memory for it
 */
bool self_test_passes(edge_core *core, const boot_test *test, uint32_t bytes);

#endif
