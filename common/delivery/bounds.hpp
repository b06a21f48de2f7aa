#pragma once

// The bounds of what is written to one connection: name, unit, default, and what happens beyond it (design
// promise P5). The server has them among its own (server/limits.hpp), as keys of its config file.

#include <algorithm>
#include <cstdint>

namespace pulsewire::delivery {

// The most bytes that lines are joined to; a longer line is a message of its own. A page sees a message only
// as a whole, and each is a sign of life: over a link of 5 KB/s there is one in three seconds, which is
// sooner than any clock of a client waits for. A larger message costs a fast link no less: its header is a
// thousandth.
inline constexpr std::uint32_t joined_bytes_max = 16 * 1024;

struct bounds {
    // Bytes that wait for one connection and cannot be written; beyond: close 4000 slow_consumer.
    std::uint32_t queue_bytes_max = 1024 * 1024;
    // Bytes of channels' histories that wait for one connection, shared with the histories; beyond: close
    // 4000.
    std::uint32_t replay_bytes_max = 64 * 1024 * 1024;
    // What leaves a queue in one go: bytes (or one message) and messages. While more waits for a connection,
    // no more of its commands are read.
    std::uint32_t batch_bytes_max = 64 * 1024;
    std::uint32_t batch_messages_max = 64;
    // The most that one WebSocket message or SSE event carries of them.
    std::uint32_t joined_bytes() const { return std::min(batch_bytes_max, joined_bytes_max); }
    // From how many bytes on what goes out together is compressed, once, whoever gets it.
    std::uint32_t compression_bytes_min = 512;
};

}  // namespace pulsewire::delivery
