#pragma once

// permessage-deflate without context takeover (RFC 7692 section 7): each message is compressed by itself. One
// of each serves a whole shard.

#include "common/delivery/compressor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace pulsewire::shell {

class deflater final : public delivery::compressor {
public:
    // Takes 256 KiB at the first use.
    deflater();
    ~deflater();

    std::string compress(std::string_view message) override;

private:
    std::unique_ptr<z_stream_s> stream_;  // null until the first use
};

class inflater {
public:
    enum class outcome : std::uint8_t {
        whole,      // out: the message
        too_large,  // out: its first `bytes_max` bytes
        broken,     // no valid message
    };

    // Takes 40 KiB at the first use.
    inflater();
    ~inflater();

    // Undoes compress(), whoever did it. `out` is replaced, and never grows beyond `bytes_max`: a small
    // message that would become an immense one is stopped there.
    outcome decompress(std::string_view payload, std::size_t bytes_max, std::string& out);

private:
    std::unique_ptr<z_stream_s> stream_;  // null until the first use
};

}  // namespace pulsewire::shell
