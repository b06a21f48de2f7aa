#pragma once

// Bodies in chunks (RFC 9112 7.1), read as strictly as heads are: Boost.Beast 1.81 has faults here
// (docs/decisions/0005-server-shell.md), and a proxy in front of us may read what is sloppy in another way.

#include "server/http/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

class chunked_reader {
public:
    // A body of more bytes is refused with 413; more bytes in extensions and trailers together with 431.
    chunked_reader(std::size_t body_bytes_max, std::size_t extra_bytes_max)
        : body_bytes_max_(body_bytes_max), extra_bytes_max_(extra_bytes_max) {}

    enum class outcome : std::uint8_t { more, whole, refused };
    // Appends to `body` what the bytes hold of it, and takes them from the front of `bytes`. What is left is
    // the beginning of a line and comes again with more, or what follows the body. Extensions and trailers
    // are checked and ignored.
    outcome take(std::string_view& bytes, std::string& body);
    // Why the last outcome was `refused`.
    const refusal& why() const { return *why_; }

private:
    enum class expected : std::uint8_t { size, data, data_end, trailer, nothing };

    std::optional<std::string_view> take_line(std::string_view& bytes);
    outcome refuse(refusal why);
    bool count_extra(std::size_t bytes);
    outcome read_size(std::string_view line, std::size_t body_bytes);
    outcome read_trailer(std::string_view line);

    std::size_t body_bytes_max_;
    std::size_t extra_bytes_max_;
    std::size_t extra_bytes_ = 0;
    std::uint64_t chunk_left_ = 0;
    expected next_ = expected::size;
    std::optional<refusal> why_;
};

}  // namespace pulsewire::shell
