/*
 * What a device does with a body before it trusts it; one of
 *
 *     module-body.c   proves a module valid, writes its index behind it, and has it run its self-test
 *     image-body.c    looks at an image's vectors: it runs its self-test itself, at its first boot
 */
#ifndef BODY_TEST_H
#define BODY_TEST_H

#include "device.h"
#include "slots.h"

/** Verdicts of a test (protocol/SPEC.md, flash frames). */
#define BODY_VERDICT_TOO_MUCH_MEMORY 9
#define BODY_VERDICT_FLASH 10
#define BODY_VERDICT_REFUSED 13
#define BODY_VERDICT_DIFFERS 14

/** Whether a test takes the memory of what runs, and the board restarts after it. */
bool body_test_stops(void);

/**
 * Test a body. It may use the memory of the device, but for its ring, if it stops what runs.
 *
 * @param detail  set to what the state should say about a refusal
 * @returns 0 or a verdict
 */
int32_t body_test(device *of, const slot_area *area, uint32_t slot, const boot_body *body, const boot_test *test, uint32_t *detail);

#endif
