#include "server/broker/kafka/link.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::kafka {
namespace {

// From open_log to its answer, at most, so that a broker that stops in the middle is told of in time.
constexpr std::chrono::milliseconds answer_time_max{4'500};
constexpr std::chrono::milliseconds check_interval{250};

// The port has {0, 0} stand before every record, so offset 0 is 1. After a loss offsets are counted again.
cluster::mark mark_of(std::int64_t offset) {
    return {static_cast<std::uint64_t>(offset) + 1, 0};
}
std::int64_t offset_of(cluster::mark at) {
    return at.high == 0 ? 0 : static_cast<std::int64_t>(at.high - 1);
}

}  // namespace

link::link(boost::asio::io_context& loop, const client_options& options, listener heard)
    : options_(options), heard_(std::move(heard)), timer_(loop) {
    client_ = std::make_unique<client>(
        loop, options,
        client::listener{
            .on_ready = [this](const opened_topic& topic) { on_ready(topic); },
            .on_extent = [this](
                             partition_index partition, log_connection connection,
                             const result<extent, std::string>& found
                         ) { on_extent(partition, connection, found); },
            .on_appended =
                [this](partition_index partition, log_connection connection) {
                    if (find(partition, connection) != nullptr)
                        heard_.on_value({partition, cluster::appended{connection, 1}});
                },
            .on_record = [this](
                             partition_index partition, log_connection connection, std::int64_t offset,
                             std::string_view bytes
                         ) { on_record(partition, connection, offset, bytes); },
            .on_lost = [this](
                           partition_index partition, log_connection connection, const std::string& reason
                       ) { lose(partition, connection, reason); },
            .on_broken = [this](const std::string& reason) { break_all(reason); },
        }
    );
    check_later();
}

void link::stop() {
    timer_.cancel();
    client_->stop();
}

// --- calls of a log ---

void link::open(partition_index partition, const cluster::open_log& what) {
    forget(partition);
    opened_log& log = logs_[partition];
    log.connection = what.connection;
    log.from = what.from;
    log.since = std::chrono::steady_clock::now();
    if (topic_) ask(partition, log);
}

void link::on_ready(const opened_topic& topic) {
    topic_ = topic;
    // A partition that is not there closes its log.
    const auto asking = logs_;
    for (const auto& [partition, log] : asking) ask(partition, log);
}

void link::ask(partition_index partition, const opened_log& log) {
    if (partition < topic_->partitions) return client_->ask_extent(partition, log.connection);
    lose(
        partition, log.connection,
        "does not exist: the topic has " + std::to_string(topic_->partitions) +
            " partitions, and the cluster of nodes has more"
    );
}

// Records that were appended early leave after `opened` was told.
void link::on_extent(
    partition_index partition, log_connection connection, const result<extent, std::string>& found
) {
    opened_log* const log = find(partition, connection);
    if (log == nullptr) return;
    if (!found) return lose(partition, connection, "does not tell what it holds: " + found.error());
    cluster::opened told{connection, {}, {}, topic_->incarnation};
    if (found->first < found->end) {
        told.first = mark_of(found->first);
        told.last = mark_of(found->end - 1);
    }
    log->is_followed = true;
    log->next = std::clamp(offset_of(log->from), found->first, found->end);
    heard_.on_value({partition, std::move(told)});
    client_->follow(partition, connection, log->next);
    for (const auto& bytes : std::exchange(log->early, {})) {
        early_bytes_ -= bytes.size();
        client_->append(partition, connection, bytes);
    }
}

void link::append(partition_index partition, cluster::append_record&& what) {
    opened_log* const log = find(partition, what.connection);
    if (log == nullptr) return;
    if (log->is_followed) return client_->append(partition, what.connection, what.bytes);
    early_bytes_ += what.bytes.size();
    log->early.push_back(std::move(what.bytes));
    if (early_bytes_ > unsent_bytes_max)
        break_all("more than 32 MB were appended before " + client_->name() + " was ready");
}

void link::trim(partition_index partition, const cluster::trim_log& what) {
    const opened_log* const log = find(partition, what.connection);
    if (log != nullptr && log->is_followed) client_->trim(partition, offset_of(what.before));
}

void link::close(partition_index partition, const cluster::close_log& what) {
    if (find(partition, what.connection) != nullptr) forget(partition);
}

// --- what the client tells ---

void link::on_record(
    partition_index partition, log_connection connection, std::int64_t offset, std::string_view bytes
) {
    opened_log* const log = find(partition, connection);
    if (log == nullptr || offset < log->next) return;
    if (bytes.empty() || bytes.size() > cluster::record_bytes_max) {
        return lose(
            partition, connection,
            "has a message that is no record: only Pulsewire may write to it, one cluster to each topic"
        );
    }
    log->next = offset + 1;
    heard_.on_value({partition, cluster::record_read{connection, mark_of(offset), std::string(bytes)}});
}

// A question that the library does not answer in time is no reason to keep its log waiting.
void link::check_later() {
    timer_.expires_after(check_interval);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& cancelled) {
        if (cancelled || alive.expired()) return;
        const auto now = std::chrono::steady_clock::now();
        const bool waits = std::any_of(logs_.begin(), logs_.end(), [&](const auto& each) {
            return !each.second.is_followed && now - each.second.since > answer_time_max;
        });
        waits ? break_all(client_->name() + " was not ready within 4.5 seconds: does it still run?")
              : check_later();
    });
}

// --- ending ---

link::opened_log* link::find(partition_index partition, log_connection connection) {
    const auto found = logs_.find(partition);
    return found != logs_.end() && found->second.connection == connection ? &found->second : nullptr;
}

void link::forget(partition_index partition) {
    const auto found = logs_.find(partition);
    if (found == logs_.end()) return;
    for (const auto& bytes : found->second.early) early_bytes_ -= bytes.size();
    if (found->second.is_followed) client_->unfollow(partition);
    logs_.erase(found);
}

void link::lose(partition_index partition, log_connection connection, const std::string& reason) {
    if (find(partition, connection) == nullptr) return;
    forget(partition);
    std::string sentence = "partition " + std::to_string(partition) + " of the topic " + options_.topic.name;
    sentence.append(" of ").append(client_->name()).append(" ").append(reason);
    heard_.on_value({partition, cluster::closed{connection, std::move(sentence)}});
}

void link::break_all(const std::string& reason) {
    if (std::exchange(is_broken_, true)) return;
    stop();
    for (const auto& [partition, log] : std::exchange(logs_, {}))
        heard_.on_value({partition, cluster::closed{log.connection, reason}});
    heard_.on_broken();
}

}  // namespace pulsewire::shell::kafka
