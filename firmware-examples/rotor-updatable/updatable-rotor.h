/* The rotor's plan, the same for a device whose module is replaced and for one whose image is. */
#ifndef UPDATABLE_ROTOR_H
#define UPDATABLE_ROTOR_H

#include "rotor.h"
#include "update-device.h"

#ifndef RATE_HZ
#define RATE_HZ 10
#endif
#ifndef FRAME_SAMPLES
#define FRAME_SAMPLES 50
#endif
#if 1000 % RATE_HZ != 0
#error "the board's clock counts milliseconds: RATE_HZ must divide 1000"
#endif
#define PERIOD_MS (1000u / RATE_HZ)
#define RING_BYTES 8192
/** The core's memory: state, birth, one sample; and the ring at its end. */
#define MEMORY_BYTES (4096u + RING_BYTES)
/** What a test of a body may use. */
#define BELOW_RING (MEMORY_BYTES - RING_BYTES)
#ifndef CONFIRM_MS
#define CONFIRM_MS 300000u
#endif

/** @param model  32 bytes: SHA-256 of the module that runs */
device_plan updatable_rotor_plan(const uint8_t *model);

/** Who may replace what. @param form  UPDATE_FORM_ */
extern const update_plan UPDATABLE_ROTOR_UPDATES;

#endif
