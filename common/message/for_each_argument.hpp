#pragma once

// PULSEWIRE_FOR_EACH(macro, context, a, b, c)  ->  macro(context, a), macro(context, b), macro(context, c)
//
// It takes up to 64 arguments; without any it expands to nothing. With far more, PULSEWIRE_EACH_AGAIN remains
// in the program and the compiler reports it as undeclared.
//
// A macro is not expanded inside itself, so each step leaves the name of the next step in the text.
// PULSEWIRE_RESCAN makes the preprocessor scan the text again, at least once for each argument: four times
// four times four, and once for each level.
//
// For the compiler this is a header of the system, so that it does not show these steps below errors.
#pragma GCC system_header

#define PULSEWIRE_FOR_EACH(macro, context, ...) \
    __VA_OPT__(PULSEWIRE_RESCAN(PULSEWIRE_EACH_STEP(macro, context, __VA_ARGS__)))

#define PULSEWIRE_EACH_STEP(macro, context, first, ...) \
    macro(context, first)                               \
        __VA_OPT__(, PULSEWIRE_EACH_AGAIN PULSEWIRE_PARENTHESES(macro, context, __VA_ARGS__))
#define PULSEWIRE_EACH_AGAIN() PULSEWIRE_EACH_STEP
#define PULSEWIRE_PARENTHESES ()

#define PULSEWIRE_RESCAN(...) \
    PULSEWIRE_RESCAN_16(PULSEWIRE_RESCAN_16(PULSEWIRE_RESCAN_16(PULSEWIRE_RESCAN_16(__VA_ARGS__))))
#define PULSEWIRE_RESCAN_16(...) \
    PULSEWIRE_RESCAN_4(PULSEWIRE_RESCAN_4(PULSEWIRE_RESCAN_4(PULSEWIRE_RESCAN_4(__VA_ARGS__))))
#define PULSEWIRE_RESCAN_4(...) \
    PULSEWIRE_RESCAN_1(PULSEWIRE_RESCAN_1(PULSEWIRE_RESCAN_1(PULSEWIRE_RESCAN_1(__VA_ARGS__))))
#define PULSEWIRE_RESCAN_1(...) __VA_ARGS__
