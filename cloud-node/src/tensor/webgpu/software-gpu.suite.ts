import { findProgram, mustRunAll, osPackage } from "../../../../scripts/os-packages.js";

/** Whether tests run the kernels on OpenGL ES done by the processor: where it is installed, or nothing may be left out. */
export const HAS_SOFTWARE_GPU = findProgram(osPackage("software-gl")) !== undefined || mustRunAll();
