#pragma once

// Patterns of channels, as tokens and settings name them (docs/protocol.md 1.6). A pattern is a channel's
// name whose segments, between ':', may be "*" (any one segment), "{user}" (the user's own name) or, at the
// end, "**" (any segments, one at least). Names of channels have neither '*' nor '{', so every pattern is
// either a name or unmistakably a pattern, and nothing needs an escape.

#include <cstddef>
#include <string_view>

namespace pulsewire::access {

inline constexpr std::size_t pattern_bytes_max = 255;
inline constexpr std::string_view own_name = "{user}";

// Empty when `pattern` is one, otherwise the reason why it is none, for people.
std::string_view fault_of_pattern(std::string_view pattern);

// Whether a valid pattern matches the whole name. `user` is the user's name on the wire; for an empty one
// "{user}" matches nothing. The time is linear in the shorter of the two.
bool matches(std::string_view pattern, std::string_view channel, std::string_view user);

// The part of `name` before its first ':', which is taken off with the ':'. Nothing is left of the last one.
std::string_view take_segment(std::string_view& name);

}  // namespace pulsewire::access
