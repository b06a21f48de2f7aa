#pragma once

// Undoes the compression of clients' messages, one after the other, in a buffer that all connections of a
// shard share.

#include "server/net/compression.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace pulsewire::shell {

class text_inflater {
public:
    struct inflated {
        inflater::outcome how;
        std::string_view text;  // as inflater::outcome says; valid until the next call
    };
    // At most `bytes_max` bytes come out.
    inflated inflate(std::string_view payload, std::size_t bytes_max);

private:
    inflater inflater_;
    std::string text_;
};

}  // namespace pulsewire::shell
