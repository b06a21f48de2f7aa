#pragma once

// The logic of one forward: which channels have something that the destination does not have, how much of it
// is read, and from where on everything is sent again. Sans-I/O: events come in, actions come out.
//
// The place of a channel is the offset up to which the destination has acknowledged its publications.
// Whatever breaks, a channel is read again from its place: so nothing is left out, what comes twice comes
// after it came once, and the first copies are in order. While the destination is away nothing is read, and
// a channel that waits costs its name.

#include "server/forward/publication.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell::forward {

// Names a publication that was given to the destination. Counts up.
using ticket = std::uint64_t;

// Publications of one forward in memory, with room for the pages that are being read; beyond, nothing more
// is read.
inline constexpr std::size_t bytes_max = std::size_t{4} << 20;
// What a page may be: one publication always fits, whatever a page may have.
inline constexpr std::size_t page_bytes_max = std::size_t{256} << 10;
inline constexpr std::size_t reads_max = 8;

struct place {
    std::string epoch;  // empty: not known yet
    std::uint64_t offset = 0;
    std::int64_t used_ms = 0;  // when something was heard of the channel last
};
using places = std::map<std::string, place>;

// Where the names of epochs come from. On one node another epoch is another channel of that name, whose
// offsets begin at 1. In the shared log it may be only another name, and whoever lets this read from there
// says with begin() and end() where offsets hold.
enum class epochs : std::uint8_t { of_node, of_log };

class forwarder {
public:
    struct read {
        std::string channel;
        std::uint64_t after = 0;
    };
    struct write {
        ticket number = 0;
        publication what;
    };
    using action = std::variant<read, write>;

    // `window`: the publications of one channel that may be on their way to the destination. Of a channel
    // with nothing new for `forget_ms` nothing is kept any more, so nothing has to be known of it; 0: never.
    forwarder(epochs from, std::size_t window, std::int64_t forget_ms)
        : epochs_(from), window_(window), forget_ms_(forget_ms) {}

    // Before anything else: what is remembered of former lives.
    void restore(places known, std::int64_t now_ms);

    // --- from the channels ---
    // Something was published, and `first` is the first that was not told before; in the shared log at this
    // log time.
    void heard(const std::string& channel, std::uint64_t first, std::uint64_t head, std::int64_t log_ms = 0);
    // The channel was there before this life. Without a place it is read from the oldest that is kept, and
    // nothing before counts as lost.
    void found(const std::string& channel);
    // Of the shared log: everything up to that offset was forwarded, and there is more.
    void begin(const std::string& channel, std::uint64_t after, std::uint64_t head, std::int64_t log_ms);
    // Of the shared log: the channels for which this holds are somebody else's now, or not to be read.
    void end(const std::function<bool(const std::string& channel)>& which);
    // The answer to a read.
    void take(const std::string& channel, page&& p);
    // There is none for now.
    void unread(const std::string& channel);

    // --- from the destination ---
    void opened();
    void lost();
    // Nothing more is read or sent; what was sent may be acknowledged.
    void hold() { is_open_ = false; }
    // Those of one channel in their order. `is_kept`: otherwise it never takes this one.
    void acknowledged(ticket number, bool is_kept = true);

    // Asks again for what was not read, and forgets. To be called from time to time.
    void tick(std::int64_t now_ms);

    std::vector<action> take_actions() { return std::exchange(actions_, {}); }
    // The places that have moved since the last call.
    places take_moved();

    const places& known() const { return places_; }
    // Channels with something that the destination does not have, or may not have.
    std::size_t channels() const { return works_.size(); }
    std::size_t in_flight() const { return in_flight_.size(); }
    std::uint64_t forwarded() const { return forwarded_; }
    // Counted when the destination has been told, so that a gap that is told again counts once.
    std::uint64_t lost_count() const { return lost_; }
    // Where the newest of them were.
    const std::string& lost_channel() const { return lost_channel_; }
    // Of the shared log: what was published before this log time in the channels for which `which` holds is
    // forwarded, as far as it was heard of. Nothing: there is nothing that is not.
    std::optional<std::int64_t> waits_since(const std::function<bool(const std::string& channel)>& which
    ) const;

private:
    // A channel with something to do.
    struct work {
        std::deque<publication> queue;  // read, and not given to the destination
        std::uint64_t read_upto = 0;
        std::size_t unacknowledged = 0;
        bool is_dirty = false;      // there may be more after read_upto
        bool is_ready = false;      // is in ready_
        bool is_reading = false;    // a page is awaited
        bool is_void = false;       // ... which is not wanted any more
        bool has_ended = false;     // ... and neither is anything else
        bool has_no_begin = false;  // nothing tells what was forwarded: the oldest that is kept is the first
        // Of the shared log: publications up to an offset, and the log time that none of them is older than.
        std::deque<std::pair<std::uint64_t, std::int64_t>> marks;
    };
    struct sent {
        std::string channel;
        std::string epoch;
        std::uint64_t offset = 0;
        std::size_t bytes = 0;
        std::uint64_t lost = 0;  // as publication::lost
    };
    using works = std::map<std::string, work>;

    void want(works::iterator at);
    void send(works::iterator at);
    void rest(works::iterator at);
    void pump();
    void begin_again(works::iterator at);
    void forget_idle();
    static void mark(work& w, std::uint64_t head, std::int64_t log_ms);

    const epochs epochs_;
    const std::size_t window_;
    const std::int64_t forget_ms_;
    std::int64_t now_ms_ = 0;  // of the last tick
    std::int64_t swept_ms_ = 0;
    places places_;
    works works_;
    std::deque<std::string> ready_;  // to be read, in turns
    std::deque<std::string> held_;   // ... from the next tick on
    std::map<ticket, sent> in_flight_;
    ticket last_ = 0;
    std::size_t reads_ = 0;
    std::size_t bytes_ = 0;  // of all that was read and has no outcome
    bool is_open_ = false;
    std::uint64_t forwarded_ = 0, lost_ = 0;
    std::string lost_channel_;
    std::set<std::string> moved_;
    std::vector<action> actions_;
};

}  // namespace pulsewire::shell::forward
