#include "common/cluster/log_chain.hpp"

#include <algorithm>

namespace pulsewire::cluster {

void log_chain::write(byte_writer& w) const {
    const std::uint64_t kept = std::min<std::uint64_t>(position_ + 1, points_.size());
    w.u64(position_);
    w.length(kept);
    for (std::uint64_t p = position_ + 1 - kept; p <= position_; ++p) {
        const log_point& point = points_[index_of(p)];
        w.hash(point.chain);
        w.u64(point.digest);
        w.u64(point.bytes);
    }
}

bool log_chain::read(byte_reader& r) {
    position_ = r.u64();
    const std::uint64_t kept = r.length();
    if (!r.ok() || position_ == UINT64_MAX || kept != std::min<std::uint64_t>(position_ + 1, points_.size()))
        return false;
    for (std::uint64_t p = position_ + 1 - kept; p <= position_ && r.ok(); ++p) {
        log_point& point = points_[index_of(p)];
        point.chain = r.hash();
        point.digest = r.u64();
        point.bytes = r.u64();
    }
    return r.ok();
}

}  // namespace pulsewire::cluster
