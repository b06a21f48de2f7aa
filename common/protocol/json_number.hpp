#pragma once

// The size of JSON numbers (RFC 8259, section 6).

#include <string_view>

namespace pulsewire {

// Whether the magnitude of a number is too large for an IEEE 754 double. `number` is valid JSON.
bool exceeds_double(std::string_view number);

}  // namespace pulsewire
