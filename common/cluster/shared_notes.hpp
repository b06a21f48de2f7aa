#pragma once

// The words that nodes which come later have to hear, too: tokens that were revoked. A part of a partition's
// state.

#include "common/cluster/bytes.hpp"
#include "common/cluster/record.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace pulsewire::cluster {

class shared_notes {
public:
    // Of the log's time: longer than tokens live. Beyond their number or bytes the oldest are forgotten.
    static constexpr std::int64_t kept_ms = std::int64_t{31} * 24 * 60 * 60 * 1'000;
    static constexpr std::size_t notes_max = 10'000;
    static constexpr std::size_t bytes_max = 4u << 20;

    struct kept {
        std::string bytes;
        std::int64_t log_ms = 0;
    };

    void add(std::string_view bytes, std::int64_t log_ms) {
        bytes_ += bytes.size();
        all_.push_back({std::string(bytes), log_ms});
        while (all_.size() > notes_max || bytes_ > bytes_max) drop_oldest();
    }
    void forget_old(std::int64_t log_ms) {
        while (!all_.empty() && log_ms - all_.front().log_ms > kept_ms) drop_oldest();
    }
    const std::deque<kept>& all() const { return all_; }

    void write(byte_writer& w) const {
        w.length(all_.size());
        for (const kept& k : all_) {
            w.i64(k.log_ms);
            w.text(k.bytes);
        }
    }
    bool read(byte_reader& r) {
        for (std::uint64_t n = r.length(); n > 0 && r.ok(); --n) {
            const std::int64_t log_ms = r.i64();
            add(r.text(record_bytes_max), log_ms);
        }
        return r.ok();
    }

private:
    void drop_oldest() {
        bytes_ -= all_.front().bytes.size();
        all_.pop_front();
    }

    std::deque<kept> all_;
    std::size_t bytes_ = 0;
};

}  // namespace pulsewire::cluster
