#pragma once

// The image of a copy on its way into the log, chunk by chunk.

#include "common/cluster/appender.hpp"
#include "common/cluster/image_collector.hpp"
#include "common/cluster/partition_state.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::cluster {

class checkpoint_writer {
public:
    // So many bytes of an image go into one record.
    explicit checkpoint_writer(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {}

    bool is_writing() const { return image_ != nullptr; }
    // The bytes of the last image: the log grows by as much at least before the next.
    std::uint64_t image_bytes() const { return image_bytes_; }

    // The state as it is now; its newest record is at `at_mark`. False when the image is too large.
    [[nodiscard]] bool begin(const partition_state& state, const mark& at_mark) {
        auto image = std::make_shared<const std::string>(state.image());
        image_bytes_ = image->size();
        if (image->size() > image_bytes_max) return false;
        image_ = std::move(image);
        at_ = state.chain().base();
        digest_ = state.chain().newest().digest;
        at_mark_ = at_mark;
        next_ = 0;
        return true;
    }
    // Precondition: is_writing().
    owned_body next_chunk() {
        image_chunk c;
        c.at = at_;
        c.at_mark = at_mark_;
        c.index = next_;
        c.digest = digest_;
        c.count = static_cast<std::uint32_t>((image_->size() + chunk_bytes_ - 1) / chunk_bytes_);
        c.bytes = std::string_view(*image_).substr(next_ * chunk_bytes_, chunk_bytes_);
        owned_body chunk{c, image_};
        if (++next_ == c.count) image_.reset();
        return chunk;
    }
    // The connection has ended: a checkpoint counts whole and from one connection.
    void give_up() { image_.reset(); }

private:
    std::size_t chunk_bytes_;
    std::shared_ptr<const std::string> image_;  // shared with the chunks that are on their way
    std::uint64_t image_bytes_ = 0;
    log_base at_;
    std::uint64_t digest_ = 0;
    mark at_mark_;
    std::uint32_t next_ = 0;
};

}  // namespace pulsewire::cluster
