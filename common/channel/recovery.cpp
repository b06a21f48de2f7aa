#include "common/channel/recovery.hpp"

namespace pulsewire::hub {
namespace {

// Cuts the page to the bytes that one answer may have; the first publication always stays.
void shorten(std::vector<message_ptr>& page) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < page.size(); ++i) {
        bytes += page[i]->line.size();
        if (bytes > history_page_bytes_max && i > 0) return page.resize(i);
    }
}

}  // namespace

starting_point start_of(
    const channel_log& log, const attach& m, std::size_t recovery_max, std::int64_t oldest_ms
) {
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

history_page page_of(const channel_log& log, const query& q) {
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

std::string json_array(const std::vector<message_ptr>& messages) {
    std::string json = "[";
    for (const message_ptr& m : messages) {
        if (json.size() > 1) json += ',';
        json.append(m->line, 0, m->line.size() - 1);
    }
    return json += ']';
}

}  // namespace pulsewire::hub
