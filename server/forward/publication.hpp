#pragma once

// A publication of a channel as it leaves for another system, and a page of them as the hub tells it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell::forward {

struct publication {
    std::string channel;
    std::string epoch;
    std::uint64_t offset = 0;
    std::int64_t time_ms = 0;
    std::string type;
    std::string user;     // empty: unknown
    std::string payload;  // JSON, or bytes
    bool is_bytes = false;
    // Not 0: nothing was published here. So many publications up to the offset were kept no more when their
    // turn came.
    std::uint64_t lost = 0;

    // About the memory that it takes.
    std::size_t bytes() const { return channel.size() + payload.size() + overhead_bytes; }

private:
    static constexpr std::size_t overhead_bytes = 512;
};

struct page {
    std::string epoch;
    std::uint64_t head = 0;  // of the channel
    std::vector<publication> publications;
};

// The publications of a page of history (protocol 4.14), with the channel and its epoch. Nothing when the
// text is not one, which would be a fault of this program.
std::optional<std::vector<publication>> read_publications(
    std::string_view json, std::string_view channel, std::string_view epoch
);

}  // namespace pulsewire::shell::forward
