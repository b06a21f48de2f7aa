#pragma once

// The two kinds of payloads, as errors name them: JSON and bytes (docs/protocol.md 2.5).

#include "common/base/payload_error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire {

// The reason why a payload of this type is not of the kind that is expected; nothing where it is.
inline std::optional<payload_error> other_kind(std::string_view type, bool expects_bytes, bool is_bytes) {
    if (expects_bytes == is_bytes) return std::nullopt;
    const auto name = [](bool bytes) { return bytes ? "bytes" : "JSON"; };
    return payload_error{std::string(type), {}, name(expects_bytes), name(is_bytes)};
}

}  // namespace pulsewire
