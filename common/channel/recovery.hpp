#pragma once

// The parts of a channel's log that readers get: the start of a subscription (docs/protocol.md 4.4,
// 4.5), and pages of history (4.14).

#include "common/exchange/message.hpp"
#include "common/exchange/message_text.hpp"
#include "common/exchange/to_channel.hpp"
#include "common/exchange/to_session.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::hub {

// The position at which a new subscription starts, and the publications that it gets first.
struct starting_point {
    std::uint64_t offset = 0;
    std::vector<message_ptr> replay;
    std::string_view lost;  // the reason why recovery failed; empty: it succeeded or was not wanted
    // Before the replay: the parts of the snapshot that leads from `offset` to `tail_from`.
    std::vector<message_ptr> snapshot = {};
    std::optional<std::uint64_t> tail_from = {};
};
// Fills in what the start decides of the answer to an attach. `keeps_state` is the log's.
void answer_with(starting_point&& start, bool keeps_state, attached& answer, subscribed_fields& f);

// As start_of() for those who want the state: what they missed, or the newest snapshot and what came after
// it.
template <class Log>
starting_point state_start_of(const Log& log, const attach& m) {
    starting_point start;
    const bool has_place = m.seen && m.seen->epoch == log.epoch() && m.seen->offset <= log.head();
    if (has_place) start.offset = m.seen->offset;
    std::uint64_t from = start.offset;
    if (!has_place || !log.reaches_back_to(from)) {
        if (m.seen) start.lost = has_place ? "compacted" : "epoch_changed";
        from = log.covers();
        start.snapshot = log.snapshot_parts();
        // The namespace keeps state only since a while: what was there before is known to nobody.
        if (!log.reaches_back_to(from)) {
            start.lost = "expired";
            from = log.oldest() - 1;
        }
        start.tail_from = from;
        // Nowhere, until the last part is there: the state of the old place is dropped, and must not be gone
        // on with where the connection ends before and another server still reaches back so far.
        start.offset = start.snapshot.empty() ? from : 0;
    }
    start.replay = log.after(from, static_cast<std::size_t>(log.head() - from));
    return start;
}
// `oldest_ms` is the wall clock time of the oldest publication that may be recovered without reading history.
// `log` is a channel_log, or what can be read like one.
template <class Log>
starting_point start_of(const Log& log, const attach& m, std::size_t recovery_max, std::int64_t oldest_ms) {
    if (m.wants_state) return state_start_of(log, m);
    starting_point start;
    if (m.seen) {
        // A position beyond the head was given by another log of the same epoch, so the client holds
        // publications that this one never had.
        if (m.seen->epoch != log.epoch() || m.seen->offset > log.head()) {
            start.lost = "epoch_changed";
        } else if (log.head() - m.seen->offset > recovery_max) {
            start.lost = "limit";
        } else if (!log.reaches_back_to(m.seen->offset)) {
            start.lost = "expired";
        } else {
            start.offset = m.seen->offset;
            start.replay = log.after(m.seen->offset, recovery_max);
            // Otherwise a position that nobody was ever at would be a way to read history.
            if (m.reads_history || start.replay.empty() || start.replay.front()->time_ms >= oldest_ms)
                return start;
            start.lost = "forbidden";
        }
    }
    start.replay = log.latest(m.latest);
    start.offset = log.head() - start.replay.size();
    return start;
}

// A page of history; `more` when further publications follow in its direction, `missed` when some between the
// place that was asked for and the page are not kept any more.
struct history_page {
    std::vector<message_ptr> publications;
    bool more = false;
    bool missed = false;
};
// Cuts the page to the bytes that one answer may have; the first publication always stays.
void shorten(std::vector<message_ptr>& page);
template <class Log>
history_page page_of(const Log& log, const query& q) {
    // Without a place, a page forwards begins with the oldest publication and a
    // page backwards with the newest.
    std::uint64_t from = q.backwards ? log.head() + 1 : 0;
    if (q.offset) from = *q.offset;
    if (q.time_ms) from = q.backwards ? log.first_at(*q.time_ms) : log.first_at(*q.time_ms) - 1;
    history_page page;
    page.missed = !q.backwards && q.offset && *q.offset < log.head() && !log.reaches_back_to(*q.offset);
    page.publications = q.backwards ? log.before(from, q.limit) : log.after(from, q.limit);
    shorten(page.publications);
    if (page.publications.empty()) return page;
    const std::uint64_t last = page.publications.back()->offset;
    // `after` and `before` were bounded by the limit, so the last offset of the page
    // tells whether more would follow.
    page.more = q.backwards ? last > log.oldest() : last < log.head();
    return page;
}

// The publications as they were sent, in a JSON array.
std::string json_array(const std::vector<message_ptr>& messages);

}  // namespace pulsewire::hub
