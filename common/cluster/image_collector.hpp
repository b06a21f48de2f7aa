#pragma once

// The images that a reader passes while it reads a log from its first record: the newest whole one is where a
// copy begins. An image is a function of the log up to its position, so it does not matter which node wrote
// it or whether its records counted; that it is of this log is seen when the record at its position is read
// again.

#include "common/cluster/record.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace pulsewire::cluster {

// The bytes of an image; beyond: a node writes no checkpoint, and a reader does not take one.
inline constexpr std::size_t image_bytes_max = std::size_t{1} << 30;

struct whole_image {
    log_base at;
    mark at_mark;  // of the record at that position
    std::string bytes;
};

class image_collector {
public:
    // Images at positions up to and with `limit` are looked for.
    explicit image_collector(std::uint64_t limit = UINT64_MAX) : limit_(limit) {}

    // The next record of the log. Bytes that are no chunk of an image are passed over.
    void read(std::string_view bytes);
    // The newest that is whole.
    std::optional<whole_image>& best() { return best_; }

private:
    struct part {
        whole_image image;
        std::uint32_t next = 0;
        std::uint32_t count = 0;
    };

    void read_chunk(process_id from, const image_chunk& c);

    std::uint64_t limit_;
    std::optional<whole_image> best_;
    std::map<process_id, part> parts_;
};

}  // namespace pulsewire::cluster
