/** Arguments with which a program proves that it is of use, for the table in `os-packages.js`. */

/** A compiler without the C library's headers is of no use. */
export const HAS_C_LIBRARY = [
  "-E",
  "-include",
  "stdio.h",
  "-x",
  "c",
  process.platform === "win32" ? "NUL" : "/dev/null",
];

/** The same of C++. */
export const HAS_CPP_LIBRARY = HAS_C_LIBRARY.map((word) => ({ "stdio.h": "vector", c: "c++" })[word] ?? word);

/** Loads what Dawn loads, and looks for the driver that Mesa would. */
export const HAS_SOFTWARE_GL = [
  "-c",
  "import ctypes, glob; ctypes.CDLL('libEGL.so'), ctypes.CDLL('libEGL_mesa.so.0'); glob.glob('/usr/lib/*/dri/swrast_dri.so')[0]",
];
