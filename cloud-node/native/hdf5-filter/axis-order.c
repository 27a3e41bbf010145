#include "axis-order.h"

#include <string.h>

void split_axes(const chunk_plan *plan, const uint8_t *atoms, uint8_t *axes) {
  const size_t element = plan->element_bytes;
  if (plan->axes == 1) {
    memcpy(axes, atoms, plan->atoms * element);
  } else if (element == 4) {
    for (size_t axis = 0; axis < plan->axes; axis++)
      for (size_t i = 0; i < plan->atoms; i++)
        memcpy(axes + 4 * (axis * plan->atoms + i), atoms + 4 * (i * plan->axes + axis), 4);
  } else {
    for (size_t axis = 0; axis < plan->axes; axis++)
      for (size_t i = 0; i < plan->atoms; i++)
        memcpy(axes + 8 * (axis * plan->atoms + i), atoms + 8 * (i * plan->axes + axis), 8);
  }
}

void join_axes(const chunk_plan *plan, const uint8_t *axes, uint8_t *atoms) {
  const size_t element = plan->element_bytes;
  if (plan->axes == 1) {
    memcpy(atoms, axes, plan->atoms * element);
  } else if (element == 4) {
    for (size_t axis = 0; axis < plan->axes; axis++)
      for (size_t i = 0; i < plan->atoms; i++)
        memcpy(atoms + 4 * (i * plan->axes + axis), axes + 4 * (axis * plan->atoms + i), 4);
  } else {
    for (size_t axis = 0; axis < plan->axes; axis++)
      for (size_t i = 0; i < plan->atoms; i++)
        memcpy(atoms + 8 * (i * plan->axes + axis), axes + 8 * (axis * plan->atoms + i), 8);
  }
}
