#pragma once

// JSON of tokens and keys, read strictly: what two readers could understand differently is refused.

#include "common/base/result.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace pulsewire::identity {

inline constexpr std::size_t json_levels_max = 16;

// One JSON object (RFC 8259) and nothing else. Errors are the end of a sentence for the operator: "is no
// valid JSON", "has the member "exp" twice", … Never throws.
result<nlohmann::json, std::string> parse_strict_object(std::string_view text);

// The member's text; nothing when the object has no such member or it is no string.
const std::string* string_member(const nlohmann::json& object, const char* name);

}  // namespace pulsewire::identity
