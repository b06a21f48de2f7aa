#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace pulsewire::bench {

// Calls visit(line) for each line of a batch; a last line feed is allowed.
template <class Visit>
void for_each_line(std::string_view message, Visit&& visit) {
    while (!message.empty()) {
        const void* end = std::memchr(message.data(), '\n', message.size());
        const std::size_t length =
            end == nullptr ? message.size()
                           : static_cast<std::size_t>(static_cast<const char*>(end) - message.data());
        visit(message.substr(0, length));
        message.remove_prefix(end == nullptr ? length : length + 1);
    }
}

}  // namespace pulsewire::bench
