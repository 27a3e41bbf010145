/**
 * Which codec a target has. There are two, from one source: the full one, and a lite one for devices that interpret the
 * module (docs/design.md, "The lite profile"). The compiler is told by `--use LITE_PROFILE=1`; what the other profile has is
 * then never compiled.
 */
export const IS_LITE: bool = isDefined(LITE_PROFILE);
