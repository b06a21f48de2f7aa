#include "common/cluster/appender.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::cluster {

void appender::connect(process_id process, log_connection connection) {
    process_ = process;
    connection_ = connection;
    seq_ = attempts_ = kept_ = 0;
    resends_ = 0;
}

std::string appender::append(owned_body what, const what_was_read& read, const hub::instant& now) {
    sent_record s;
    s.what = std::move(what);
    return append_next(std::move(s), read, now);
}

std::string appender::append(
    std::vector<command> commands, const what_was_read& read, const hub::instant& now
) {
    sent_record s;
    s.commands = std::move(commands);
    return append_next(std::move(s), read, now);
}

std::string appender::append_next(sent_record s, const what_was_read& read, const hub::instant& now) {
    s.process = process_;
    s.connection = connection_;
    s.seq = ++seq_;
    sent_.push_back(std::move(s));
    return bytes_of(sent_.back(), read, now);
}

std::string appender::bytes_of(sent_record& s, const what_was_read& read, const hub::instant& now) {
    s.attempt = ++attempts_;
    s.sent_ms = now.monotonic_ms;
    record r;
    r.process = s.process;
    r.connection = s.connection;
    r.seq = s.seq;
    r.base = read.base;
    r.clock = now;
    if (s.commands.empty()) {
        r.body = s.what.body;
        if (sign* const signed_now = std::get_if<sign>(&r.body)) signed_now->digest = read.digest;
        return encode(r);
    }
    std::string encoded;
    for (const command& c : s.commands) encoded.append(c.bytes);
    return encode_operations(r, encoded, s.commands.size());
}

bool appender::is_late(std::int64_t now_ms) const {
    const auto oldest = std::find_if(sent_.begin(), sent_.end(), [&](const sent_record& s) {
        return s.connection == connection_;
    });
    return oldest != sent_.end() && now_ms - oldest->sent_ms >= resend_ms_;
}

std::vector<std::string> appender::append_again(const what_was_read& read, const hub::instant& now) {
    ++resends_;
    std::vector<std::string> records;
    for (sent_record& s : sent_)
        if (s.connection == connection_) records.push_back(bytes_of(s, read, now));
    return records;
}

std::optional<appender::sent_record> appender::read_back(
    process_id process, log_connection connection, std::uint64_t seq
) {
    // Records count in the order of their numbers, so it is the first one of its connection.
    const auto found = std::find_if(sent_.begin(), sent_.end(), [&](const sent_record& s) {
        return s.process == process && s.connection == connection;
    });
    if (found == sent_.end() || found->seq != seq) return std::nullopt;
    sent_record s = std::move(*found);
    sent_.erase(found);
    if (connection == connection_) resends_ = 0;
    return s;
}

std::vector<appender::sent_record> appender::take_earlier() {
    std::vector<sent_record> earlier;
    while (!sent_.empty() && sent_.front().connection != connection_) {
        earlier.push_back(std::move(sent_.front()));
        sent_.pop_front();
    }
    return earlier;
}

std::vector<appender::sent_record> appender::take_all() {
    std::vector<sent_record> all(
        std::make_move_iterator(sent_.begin()), std::make_move_iterator(sent_.end())
    );
    sent_.clear();
    return all;
}

}  // namespace pulsewire::cluster
