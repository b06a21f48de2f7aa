#include "server/broker/redis/follower.hpp"

#include "server/broker/redis/errors.hpp"
#include "server/broker/redis/stream.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::redis {

follower::follower(std::shared_ptr<connection> to, listener heard)
    : to_(std::move(to)), heard_(std::move(heard)) {}

void follower::add(cluster::partition_index partition, std::string key, cluster::mark from) {
    logs_.insert_or_assign(
        partition,
        followed{.key = std::move(key), .after = position_before(from), .number = ++numbers_, .at_end = {}}
    );
    if (!in_round_) start_round();
}

// --- asking ---

// The three parts of a round leave together. The server answers what comes after XREAD when that has ended.
void follower::start_round() {
    in_round_ = !logs_.empty();
    if (!in_round_) return;
    round_numbers_ = numbers_;
    round_began_ = std::chrono::steady_clock::now();
    round_records_ = std::max<std::size_t>(1, round_bytes_max / cluster::record_bytes_max / logs_.size());
    send_read();
    for (auto& [partition, log] : logs_) {
        log.is_gone = false;
        if (log.has_read && (!log.at_end || round_began_ - *log.at_end > unchecked_max))
            send_check(partition, log);
    }
    to_->send({"INFO", "replication"}, [this](reply&& answer) { on_round_over(*answer); });
}

void follower::send_read() {
    const std::string count = std::to_string(round_records_);
    const std::string block_ms = std::to_string(block_time.count());
    std::vector<std::string> ids;
    for (const auto& [partition, log] : logs_) ids.push_back(id_of(log.after));
    std::vector<std::string_view> words = {"XREAD", "COUNT", count, "BLOCK", block_ms, "STREAMS"};
    for (const auto& [partition, log] : logs_) words.push_back(log.key);
    words.insert(words.end(), ids.begin(), ids.end());
    const auto on_read = [this](reply&& answer) {
        if ((*answer).is_error()) return to_->fail(sentence_of_error(to_->name(), (*answer).text()));
        read_ = std::move(answer);
    };
    to_->send(words, on_read, block_time);
}

// Trims take records away from the front: where this one is still there after XREAD, XREAD has jumped over
// nothing.
void follower::send_check(cluster::partition_index partition, const followed& log) {
    const std::string id = id_of(log.after);
    to_->send({"XRANGE", log.key, id, id}, [this, partition, number = log.number](reply&& answer) {
        const auto found = logs_.find(partition);
        if (found == logs_.end() || found->second.number != number) return;
        found->second.is_gone = (*answer).size() == 0;
    });
}

// --- reading ---

void follower::on_round_over(reply_view info) {
    if (!heard_.is_same_server(info)) return;
    for (auto& [partition, log] : logs_)
        if (log.number <= round_numbers_) log.at_end = round_began_;
    // What was read is parsed only here, so that a round's records are in memory once.
    const auto read = std::exchange(read_, std::nullopt);
    for (std::size_t i = 0; read && i < (**read).size(); ++i) take((**read)[i]);
    start_round();
}

// `stream` is the key and the entries.
void follower::take(reply_view stream) {
    const auto found = std::find_if(logs_.begin(), logs_.end(), [&](const auto& each) {
        return each.second.key == stream[0].text() && each.second.number <= round_numbers_;
    });
    if (found == logs_.end()) return;
    auto& [partition, log] = *found;
    const auto lose = [&](std::string_view why) {
        std::string reason = "the log " + log.key + " of " + to_->name();
        const cluster::partition_index lost = partition;
        logs_.erase(found);
        heard_.on_lost(lost, reason.append(why));
    };
    if (log.is_gone) return lose(" was trimmed before it was read");
    const reply_view entries = stream[1];
    if (entries.size() == round_records_) log.at_end.reset();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto record = record_of(entries[i]);
        if (!record)
            return lose(
                " has an entry that is no record: only Pulsewire may write to it, one cluster to each prefix"
            );
        log.after = record->at;
        log.has_read = true;
        heard_.on_record(partition, record->at, std::string(record->bytes));
    }
}

}  // namespace pulsewire::shell::redis
