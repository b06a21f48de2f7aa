#pragma once

// What a shell is told of channels that are forwarded (config::forwards): which have something that was not
// there before. A channel that is named often may be named once, with the newest head.

#include <cstdint>
#include <string>

namespace pulsewire::hub {

struct channel_news {
    std::string channel;
    std::uint64_t first = 0;  // offset of the first publication that is new
    std::uint64_t head = 0;   // ... and of the last
    // Of the shared log, at the first one; 0 for channels of this node alone.
    std::int64_t log_ms = 0;
    // It was there when the node began.
    bool is_kept = false;
};

// A channel of the shared log of which there is something after an offset.
struct channel_rest {
    std::string channel;
    std::uint64_t after = 0;
    std::uint64_t head = 0;
    std::int64_t log_ms = 0;  // of the first publication after it
};

}  // namespace pulsewire::hub
