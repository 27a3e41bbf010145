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
/** The core's memory beside its ring: state, birth, one sample; and all that a test of a body may use. */
#ifndef BELOW_RING
#define BELOW_RING 4096u
#endif
#define MEMORY_BYTES (BELOW_RING + RING_BYTES)
#ifndef CONFIRM_MS
#define CONFIRM_MS 300000u
#endif

/** SHA-256 of the module that runs: the main program writes it before the device begins. */
extern uint8_t updatable_rotor_model[32];

extern const device_plan UPDATABLE_ROTOR_PLAN;
/** Who may replace what. */
extern const update_plan UPDATABLE_ROTOR_UPDATES;

#endif
