#include "updatable-rotor.h"

#include "trusted-key.h"

#ifndef UPDATE_FORM
#error "say what is replaced: -DUPDATE_FORM=UPDATE_FORM_MODULE or UPDATE_FORM_IMAGE"
#endif
#ifndef UPDATE_TARGET
#define UPDATE_TARGET "module"
#endif

/* A unit is 2^-15; what arrives is within 32 of them, 2^-10. */
static const device_channel CHANNELS[ROTOR_CHANNELS] = {
    {"x", "1", 32, 1, 4, 0, 1, -15, 32, -15},  {"y", "1", 32, 1, 4, 0, 1, -15, 32, -15},
    {"z", "1", 32, 1, 0, 0, 1, -15, 32, -15},  {"rx", "1", 32, 1, 3, 0, 1, -15, 32, -15},
    {"ry", "1", 32, 1, 3, 0, 1, -15, 32, -15}, {"rz", "1", 32, 1, 1, 0, 1, -15, 32, -15},
};
static const uint8_t KEYS[1][UPDATE_KEY_BYTES] = {{UPDATE_KEY_ED25519, 0, 0, 0, TRUSTED_KEY}};

const update_plan UPDATABLE_ROTOR_UPDATES = {
    .form = UPDATE_FORM,
    .target = UPDATE_TARGET,
    .keys = KEYS,
    .key_count = 1,
    .memory_limit = MEMORY_BYTES,
    .confirm_ms = CONFIRM_MS,
};

const device_plan UPDATABLE_ROTOR_PLAN = {
    .name = DEVICE_NAME,
    .firmware = "1.0.0",
    .model = updatable_rotor_model,
    .channels = CHANNELS,
    .channel_count = ROTOR_CHANNELS,
    .frame_samples = FRAME_SAMPLES,
    .silence_ms = 5000,
    .mtu = 0,
    .ring_bytes = RING_BYTES,
    .out_bytes = 1024,
    .period_ns = PERIOD_MS * 1000000,
    .in_parts = true,
};
