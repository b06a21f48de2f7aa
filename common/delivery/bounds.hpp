#pragma once

// The bounds of what is written to one connection: name, unit, default, and what happens beyond it (design
// promise P5). The server has them among its own (server/limits.hpp), as keys of its config file.

#include <cstdint>

namespace pulsewire::delivery {

struct bounds {
    // Bytes that wait for one connection and cannot be written; beyond: close 4000 slow_consumer.
    std::uint32_t queue_bytes_max = 1024 * 1024;
    // Bytes of channels' histories that wait for one connection, shared with the histories; beyond: close
    // 4000.
    std::uint32_t replay_bytes_max = 64 * 1024 * 1024;
    // The most that one WebSocket message or SSE event carries of a queue: bytes (or one message) and
    // messages. While more waits for a connection, no more of its commands are read.
    std::uint32_t batch_bytes_max = 64 * 1024;
    std::uint32_t batch_messages_max = 64;
    // From how many bytes on what goes out together is compressed, once, whoever gets it.
    std::uint32_t compression_bytes_min = 512;
};

}  // namespace pulsewire::delivery
