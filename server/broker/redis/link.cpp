#include "server/broker/redis/link.hpp"

#include "server/broker/redis/errors.hpp"
#include "server/broker/redis/stream.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pulsewire::shell::redis {
namespace {

constexpr std::size_t early_bytes_max = unsent_bytes_max;

// The value of a line "name:value" of INFO.
std::string_view field_of(std::string_view info, std::string_view name) {
    for (std::size_t begin = 0; begin < info.size();) {
        const auto end = std::min(info.find("\r\n", begin), info.size());
        const std::string_view line = info.substr(begin, end - begin);
        if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
            return line.substr(name.size() + 1);
        begin = end + 2;
    }
    return {};
}

// The value of a member of XINFO STREAM, which is a list of names and values.
reply_view member_of(reply_view info, std::string_view name) {
    for (std::size_t i = 0; i + 1 < info.size(); i += 2)
        if (info[i].text() == name) return info[i + 1];
    return reply_view(nullptr);
}

}  // namespace

link::link(const dialer& from, const link_options& options, cluster::partition_index first, listener heard)
    : from_(from), options_(options), heard_(std::move(heard)), timer_(from.loop) {
    after(opening_time_max, [this] {
        break_all("the broker was not ready within 4.5 seconds: does it still run?");
    });
    if (from_.broker.how == address::kind::single) {
        connect(from_.broker.hosts.front());
        return;
    }
    search_ = std::make_unique<master_search>(
        from_, key_of(options_.prefix, first),
        [this](const result<endpoint, std::string>& found) {
            if (!found) return break_all(found.error());
            connect(*found);
        }
    );
}

link::~link() {
    if (appending_) appending_->close();
    if (following_) following_->close();
}

// --- beginning ---

void link::connect(const endpoint& to) {
    for (auto* const which : {&appending_, &following_}) {
        *which = connection::open(
            from_, to, connection::login::required, [this, which] { greet(*which); },
            [this](const std::string& reason) { break_all(reason); }
        );
    }
}

void link::greet(const std::shared_ptr<connection>& which) {
    if (which == following_) {
        which->send({"CLIENT", "ID"}, [this](reply&& answer) {
            if ((*answer).is_error())
                return break_all(sentence_of_error(following_->name(), (*answer).text()));
            following_id_ = std::to_string((*answer).number());
        });
    }
    which->send({"INFO", "replication"}, [this](reply&& answer) { on_greeted(*answer); });
}

void link::on_greeted(reply_view info) {
    if (is_same_server(info) && ++greeted_ == 2) on_up();
}

void link::on_up() {
    appender_.emplace(
        appending_, options_.wait_replicas,
        appender::listener{
            .on_appended =
                [this](origin which) {
                    if (find(which) == nullptr) return;
                    heard_.on_value({which.partition, cluster::appended{which.connection, 1}});
                },
            .on_refused =
                [this](origin which, std::string_view error) {
                    const std::string reason = sentence_of_error(appending_->name(), error);
                    concerns_one_log(error) ? lose(which, reason) : break_all(reason);
                },
        }
    );
    follower_.emplace(
        following_,
        follower::listener{
            .on_record =
                [this](cluster::partition_index partition, cluster::mark at, std::string&& bytes) {
                    const auto connection = logs_.at(partition).connection;
                    heard_.on_value({partition, cluster::record_read{connection, at, std::move(bytes)}});
                },
            .on_lost =
                [this](cluster::partition_index partition, std::string reason) {
                    lose({partition, logs_.at(partition).connection}, std::move(reason));
                },
            .is_same_server = [this](reply_view info) { return is_same_server(info); },
        }
    );
    for (auto& [partition, log] : logs_) begin(partition, log);
    check_later();
}

// --- calls of a log ---

void link::open(cluster::partition_index partition, const cluster::open_log& what) {
    forget(partition);
    opened_log& log = logs_[partition];
    log.connection = what.connection;
    log.from = what.from;
    if (follower_) begin(partition, log);
}

// Sent on the appending connection, because the other one may be blocked. That the server is still the same
// is asked after what the log holds, so that it is true of both; records that were appended early go after
// that, so that `opened` is told before they are in the log.
void link::begin(cluster::partition_index partition, opened_log& log) {
    const origin which{partition, log.connection};
    const std::string key = key_of(options_.prefix, partition);
    log.is_begun = true;
    appending_->send({"XINFO", "STREAM", key}, [this, which](reply&& answer) { on_extent(which, *answer); });
    verify([this, which] { on_begun(which); });
    for (auto& bytes : std::exchange(log.early, {})) {
        early_bytes_ -= bytes.size();
        appender_->append(which, key, std::move(bytes));
    }
}

void link::on_extent(origin which, reply_view info) {
    opened_log* const log = find(which);
    if (log == nullptr || info.text().starts_with("ERR no such key")) return;
    if (info.is_error()) {
        const std::string reason = sentence_of_error(appending_->name(), info.text());
        return concerns_one_log(info.text()) ? lose(which, reason) : break_all(reason);
    }
    log->first = mark_of(member_of(info, "first-entry")[0].text());
    log->last = mark_of(member_of(info, "last-entry")[0].text());
}

void link::on_begun(origin which) {
    const opened_log* const log = find(which);
    if (log == nullptr) return;
    heard_.on_value({which.partition, cluster::opened{which.connection, log->first, log->last, incarnation_}}
    );
    follower_->add(which.partition, key_of(options_.prefix, which.partition), log->from);
    unblock_follower();
}

void link::append(cluster::partition_index partition, cluster::append_record&& what) {
    const origin which{partition, what.connection};
    opened_log* const log = find(which);
    if (log == nullptr) return;
    if (log->is_begun)
        return appender_->append(which, key_of(options_.prefix, partition), std::move(what.bytes));
    early_bytes_ += what.bytes.size();
    log->early.push_back(std::move(what.bytes));
    if (early_bytes_ > early_bytes_max)
        break_all("more than 32 MB were appended before the broker was ready");
}

void link::trim(cluster::partition_index partition, const cluster::trim_log& what) {
    const opened_log* const log = find({partition, what.connection});
    if (log == nullptr || !log->is_begun) return;
    const std::string key = key_of(options_.prefix, partition);
    appending_->send({"XTRIM", key, "MINID", id_of(what.before)}, [this, key](reply&& answer) {
        if (!(*answer).is_error()) return;
        log::warning(
            "the log ", key, " is not trimmed: ", sentence_of_error(appending_->name(), (*answer).text())
        );
    });
}

void link::close(cluster::partition_index partition, const cluster::close_log& what) {
    if (find({partition, what.connection}) != nullptr) forget(partition);
}

link::opened_log* link::find(origin which) {
    const auto found = logs_.find(which.partition);
    return found != logs_.end() && found->second.connection == which.connection ? &found->second : nullptr;
}

void link::forget(cluster::partition_index partition) {
    const auto found = logs_.find(partition);
    if (found == logs_.end()) return;
    for (const auto& bytes : found->second.early) early_bytes_ -= bytes.size();
    logs_.erase(found);
    if (follower_) follower_->remove(partition);
}

// --- the same server still ---

// Breaks the link when it is not. master_replid is another one after each restart, and after each change of
// role.
bool link::is_same_server(reply_view info) {
    if (is_broken_) return false;
    const std::string name = appending_->name();
    const auto incarnation = field_of(info.text(), "master_replid");
    if (info.is_error() || incarnation.empty()) {
        break_all(sentence_of_error(name, info.text()));
    } else if (field_of(info.text(), "role") != "master") {
        break_all(
            name + " is a replica: its master is elsewhere. redis-sentinel:// and redis-cluster:// find it"
        );
    } else if (!incarnation_.empty() && incarnation != incarnation_) {
        break_all(name + " has changed its role or was started again");
    } else {
        incarnation_ = incarnation;
    }
    return !is_broken_;
}

void link::verify(std::function<void()> then) {
    appending_->send({"INFO", "replication"}, [this, then = std::move(then)](reply&& answer) {
        if (is_same_server(*answer)) then();
    });
}

// Instead of what was to be done after another delay.
void link::after(std::chrono::milliseconds delay, std::function<void()> then) {
    timer_.expires_after(delay);
    timer_.async_wait([alive = std::weak_ptr(alive_),
                       then = std::move(then)](const boost::system::error_code& error) {
        if (!error && !alive.expired()) then();
    });
}

void link::check_later() {
    after(check_interval, [this] { verify([this] { check_later(); }); });
}

// A log was added while XREAD is blocked. The server may get this before that XREAD: then it is sent again.
void link::unblock_follower() {
    if (unblocks_ || !follower_->is_to_be_unblocked()) return;
    unblocks_ = true;
    appending_->send({"CLIENT", "UNBLOCK", following_id_}, [this](reply&& answer) {
        unblocks_ = false;
        if ((*answer).is_error()) return break_all(sentence_of_error(appending_->name(), (*answer).text()));
        unblock_follower();
    });
}

// --- ending ---

void link::lose(origin which, std::string reason) {
    if (find(which) == nullptr) return;
    forget(which.partition);
    heard_.on_value({which.partition, cluster::closed{which.connection, std::move(reason)}});
}

void link::break_all(const std::string& reason) {
    if (std::exchange(is_broken_, true)) return;
    timer_.cancel();
    search_.reset();
    if (appending_) appending_->close();
    if (following_) following_->close();
    for (const auto& [partition, log] : std::exchange(logs_, {}))
        heard_.on_value({partition, cluster::closed{log.connection, reason}});
    heard_.on_broken();
}

}  // namespace pulsewire::shell::redis
