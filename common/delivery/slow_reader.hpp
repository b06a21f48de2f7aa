#pragma once

// Decides about a peer that does not keep up: which messages leave its queue unwritten, and which gaps are
// reported (docs/protocol.md 5.4). Only publications of a namespace whose policy allows it may leave, and
// never one of which a part is written or has its framing.

#include "common/delivery/piece_list.hpp"
#include "common/delivery/waiting_publications.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pulsewire::delivery {

class slow_reader {
public:
    // Whether something was dropped or may be replaced: until the queue is empty.
    bool is_slow() const { return waiting_ != nullptr; }

    // Whether more waits than may, also after what may be dropped was dropped.
    bool overflows(piece_list& list);
    // Each replaceable publication that came since the last time gets its place, and takes the older one of
    // its key out.
    void replace_older(piece_list& list);
    // The publication at this place is about to get its framing. Returns the gap that must be told before it.
    std::optional<waiting_publications::gap> framing_of(const piece& p, std::size_t at);
    // Everything before has its framing: the gaps that nothing came after, by channel.
    std::map<std::string, waiting_publications::gap, std::less<>> gaps_at_the_end();
    // Places have changed.
    void forget_places(const piece_list& list);
    // Nothing waits any more, or nothing that could be dropped.
    void forget() { waiting_.reset(); }

private:
    static bool exceeds(const piece_list& list);
    void drop(piece_list& list, std::size_t at);
    void close_holes(piece_list& list);
    waiting_publications& waiting();

    std::unique_ptr<waiting_publications> waiting_;  // null unless is_slow()
    std::uint32_t settled_ = 0;  // framed or not: nothing before this one may be dropped as the oldest
    std::uint32_t placed_ = 0;   // ... and what may be replaced has its place in waiting_
};

}  // namespace pulsewire::delivery
