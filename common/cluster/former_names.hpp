#pragma once

// The epochs that the log of an unbroken copy had before. A client that comes with a position in one of them,
// from this node or another, missed nothing if what it saw last was published before that epoch was renewed:
// up to there the two nodes have read the same.

#include "common/cluster/effect.hpp"
#include "common/cluster/shared_channels.hpp"

#include <cstdint>
#include <deque>
#include <string_view>

namespace pulsewire::cluster {

class former_names {
public:
    // Beyond, the oldest is forgotten: its clients are told that they may have missed something.
    static constexpr std::size_t names_max = 64;

    // The epoch `log` has ended by the renewal of this number.
    void add(const fingerprint& log, std::uint64_t renewal) {
        names_.push_back({log, renewal});
        if (names_.size() > names_max) names_.pop_front();
    }
    // The copy is broken.
    void clear() { names_.clear(); }

    // Whether the offset in `epoch`, as a client knows it, is one of the channel as it is now.
    bool knows(
        const shared_channel* c, std::uint64_t generation, std::string_view epoch, std::uint64_t offset
    ) const {
        for (const name& n : names_)
            if (text_of({n.log, generation}) == epoch) return was_published_before(c, offset, n.renewal);
        return false;
    }

private:
    struct name {
        fingerprint log;
        std::uint64_t renewal = 0;
    };

    static bool was_published_before(const shared_channel* c, std::uint64_t offset, std::uint64_t renewal) {
        if (offset == 0) return true;
        if (c == nullptr || offset > c->head() || offset + 1 < c->oldest()) return false;
        // Of one that is not kept any more the next one tells, if it is old enough itself.
        const std::uint64_t witness = offset < c->oldest() ? offset + 1 : offset;
        return witness <= c->head() && c->at(witness)->renewals < renewal;
    }

    std::deque<name> names_;
};

}  // namespace pulsewire::cluster
