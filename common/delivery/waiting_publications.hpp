#pragma once

// The publications that wait in the queue of a slow connection: which is the newest of its key, and which
// offsets of a channel were dropped and not yet told (docs/protocol.md 5.4). Made when the first one is
// dropped or replaced, gone when the queue is empty: a connection that keeps up has none.

#include "common/exchange/message.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::delivery {

class waiting_publications {
public:
    // A marker that is due: the channel's publications up to `offset` do not come.
    struct gap {
        std::uint64_t offset = 0;
        slow_consumer why = slow_consumer::drop_oldest;
    };

    // `m`, the answer to a subscribe, waits at `place`: its channel's stream begins again there.
    void begins(const hub::message& m, std::uint32_t place);
    // `m`, which waited at `place`, was taken out of the queue.
    void dropped(const hub::message& m, std::uint32_t place);
    // `m` is about to be written, in the order of the queue. Returns the marker that must precede it, if any.
    std::optional<gap> due_before(const hub::message& m);
    // Nothing waits any more: the markers that no publication has brought along, in the order of their
    // channels. Forgets them.
    std::map<std::string, gap, std::less<>> due_at_the_end();

    // `m`, which outlives its place in here, waits at `place`. Returns the place of the one with the same key
    // that waited before; it is forgotten.
    std::optional<std::uint32_t> put(const hub::message& m, std::uint32_t place);
    // `m` waits no longer at `place`.
    void take(const hub::message& m, std::uint32_t place);
    // Places have changed, or all are taken.
    void forget_places();

private:
    struct key {
        std::string_view channel, name;
        // A transient message takes the place of another transient one only. If it took a publication's, and
        // were itself lost with the connection, the client would have moved past the newest of the key and
        // never see it (5.6).
        bool is_transient;
        friend bool operator<(const key& a, const key& b) {
            if (a.channel != b.channel) return a.channel < b.channel;
            return a.name != b.name ? a.name < b.name : a.is_transient < b.is_transient;
        }
    };
    // The offsets of a channel that are missing. Those that replace each other leave holes between the ones
    // that wait.
    struct missing {
        std::uint64_t first = 0, last = 0;  // dropped; between them some may wait; 0: nothing is missing
        std::uint64_t written = 0;          // the last one that was written behind `first`; 0: none yet
        slow_consumer why = slow_consumer::drop_oldest;
    };

    static key key_of(const hub::message& m) {
        return {m.channel(), m.conflate().empty() ? m.type() : m.conflate(), m.offset == 0};
    }

    // A client may subscribe again while its queue waits. So there is one `missing` for each subscription of
    // the channel, the first for the one that is being written: a gap of one means nothing in the next (4.8).
    struct stream {
        std::deque<missing> subscriptions;
        std::vector<std::uint32_t> begins;  // places of the waiting answers that begin the next ones
    };

    static bool is_whole(const stream& s) {
        return s.begins.empty() && (s.subscriptions.empty() || s.subscriptions.front().first == 0) &&
               s.subscriptions.size() <= 1;
    }

    std::map<std::string, stream, std::less<>> streams_;  // by channel: those with gaps or with beginnings
    // Publishers choose the names: a tree, which no names make slow.
    std::map<key, std::uint32_t> newest_;
};

}  // namespace pulsewire::delivery
