#include "server/broker/nats/stream_log.hpp"

#include "server/log.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::nats {
namespace {

// Letters of the requests, in the subjects that they are answered to.
constexpr char ask_stream = 'i';
constexpr char ask_create = 'c';
constexpr char ask_consumer = 'f';
constexpr char ask_pull = 'p';
constexpr char ask_append = 'a';
constexpr char ask_trim = 't';

// Status of an answer.
constexpr int sign_of_life = 100;
constexpr int no_records = 404;
constexpr int request_is_over = 408;
constexpr int conflict = 409;
constexpr int nobody_listens = 503;

std::string api(std::string_view what) {
    return std::string("$JS.API.").append(what);
}

stream_wish wish_of(const address& where, cluster::partition_index partition) {
    const std::string number = std::to_string(partition);
    return {
        .name = std::string(where.name).append("-").append(number),
        .subject = std::string(where.name).append(".").append(number),
        .replicas = where.replicas};
}

}  // namespace

stream_log::stream_log(
    const address& where, cluster::partition_index partition, const cluster::open_log& what, time_point now,
    listener heard
)
    : where_(where),
      partition_(partition),
      number_(what.connection),
      from_(what.from),
      wish_(wish_of(where, partition)),
      heard_(std::move(heard)),
      opening_since_(now),
      heard_at_(now) {}

stream_log::~stream_log() {
    free_appends();
}

void stream_log::free_appends() {
    waiting_.clear();
    sent_.clear();
    heard_.on_freed(std::exchange(waiting_bytes_, 0) + std::exchange(sent_bytes_, 0));
}

void stream_log::tell(auto&& what) {
    heard_.on_value({partition_, std::forward<decltype(what)>(what)});
}

void stream_log::lose(std::string reason) {
    if (!closed_) end();
    fail(std::move(reason));
}

void stream_log::fail(std::string reason) {
    if (std::exchange(closed_, true)) return;
    free_appends();
    tell(cluster::closed{number_, std::move(reason)});
}

void stream_log::end() {
    if (to_ != nullptr && found_)
        to_->publish(api("CONSUMER.DELETE." + wish_.name + "." + consumer_), "", "");
}

// --- opening ---

void stream_log::begin(connection& to, time_point now) {
    to_ = &to;
    heard_at_ = now;
    consumer_ = std::to_string(partition_) + "_" + std::to_string(number_) + "_";
    for (const char c : to.inbox()) consumer_ += c == '.' ? '-' : c;
    ask(ask_stream, 0, api("STREAM.INFO." + wish_.name), "");
}

void stream_log::ask(char what, std::uint64_t which, const std::string& subject, std::string_view body) {
    std::string reply = to_->inbox() + "." + std::to_string(partition_);
    reply.append(".").append(std::to_string(number_)).append(".").append(1, what);
    to_->publish(subject, reply.append(".").append(std::to_string(which)), body);
}

void stream_log::on_answer(char what, std::uint64_t which, const delivery& answer, time_point now) {
    if (closed_) return;
    if (what == ask_pull) heard_at_ = now;
    if (answer.status == sign_of_life) return;
    if (answer.status == nobody_listens) {
        return lose(
            to_->name() + (is_open_ ? " has the stream " + wish_.name + " no more"
                                    : " has nobody who answers for a stream: is JetStream on "
                                      "(\"jetstream {}\" in its configuration)?")
        );
    }
    if (answer.status == no_records || answer.status == request_is_over || answer.status == conflict) {
        // The end of a request for records: too many bytes, too long without one, or no consumer any more. In
        // the last case the next one stays without an answer.
        if (what == ask_pull && which == pulls_) pull(now);
        return;
    }
    if (answer.status != 0)
        return lose(to_->name() + " refuses a request (" + std::to_string(answer.status) + ")");
    switch (what) {
        case ask_stream:
            return on_stream(answer.bytes, now);
        case ask_create:
            return on_created(answer.bytes, now);
        case ask_consumer:
            return on_consumer(answer.bytes, now);
        case ask_append:
            return on_appended(which, answer.bytes, now);
        case ask_trim:
            if (const auto error = error_of(answer.bytes))
                log::warning("the stream ", wish_.name, " is not trimmed: ", *error);
            return;
        default:
            return;
    }
}

void stream_log::on_stream(std::string_view reply, time_point now) {
    auto found = read_stream(reply, wish_);
    if (!found) return lose(to_->name() + ": " + found.error());
    if (!*found) {
        if (std::exchange(was_created_, true))
            return lose(to_->name() + " has no stream " + wish_.name + " although it was made");
        return ask(ask_create, 0, api("STREAM.CREATE." + wish_.name), create_stream_request(wish_));
    }
    found_ = std::move(**found);
    // A log that is shorter than its reader knows is read from its end on.
    next_ = std::clamp(from_.high, found_->first, found_->last + 1);
    heard_at_ = now;
    ask(ask_consumer, 0, api("CONSUMER.CREATE." + wish_.name + "." + consumer_),
        create_consumer_request(wish_, consumer_, next_));
}

// Two nodes may make it at the same time; whose wish differs is told so when it reads the settings.
void stream_log::on_created(std::string_view reply, time_point now) {
    if (says_stream_exists(reply)) return ask(ask_stream, 0, api("STREAM.INFO." + wish_.name), "");
    on_stream(reply, now);
}

void stream_log::on_consumer(std::string_view reply, time_point now) {
    if (const auto error = error_of(reply)) {
        found_.reset();
        return lose(to_->name() + " does not let the stream " + wish_.name + " be read (" + *error + ")");
    }
    is_open_ = true;
    cluster::opened told{.connection = number_, .first = {}, .last = {}, .incarnation = {}};
    if (!found_->is_empty) {
        told.first = {found_->first, 0};
        told.last = {found_->last, 0};
    }
    // Servers of a cluster do not say when one of them has lost something.
    if (where_.is_trusted)
        told.incarnation = found_->created;
    else if (!found_->is_clustered && !to_->server_id().empty())
        told.incarnation = to_->server_id() + "/" + found_->created;
    tell(std::move(told));
    pull(now);
    pump(now);
}

// --- following ---

void stream_log::pull(time_point now) {
    pulled_ = 0;
    heard_at_ = now;
    ask(ask_pull, ++pulls_, api("CONSUMER.MSG.NEXT." + wish_.name + "." + consumer_),
        pull_request(pull_records, pull_bytes, pull_time));
}

void stream_log::on_record(const record_place& place, std::string_view bytes, time_point now) {
    if (closed_ || place.consumer != consumer_) return;
    heard_at_ = now;
    if (place.sequence != next_) {
        const bool is_back = place.sequence < next_;
        return lose(
            "the stream " + wish_.name + " of " + to_->name() +
            (is_back ? " has gone back, so it has lost records" : " was trimmed before it was read")
        );
    }
    ++next_;
    tell(cluster::record_read{number_, {place.sequence, 0}, std::string(bytes)});
    if (++pulled_ == pull_records) pull(now);
}

// --- appending ---

void stream_log::append(std::string bytes, time_point now) {
    waiting_bytes_ += bytes.size();
    waiting_.push_back(std::move(bytes));
    if (is_open_) pump(now);
}

void stream_log::pump(time_point now) {
    while (!closed_ && !waiting_.empty() && sent_.size() < window_records_max &&
           (sent_.empty() || sent_bytes_ + waiting_.front().size() <= window_bytes_max)) {
        const std::string bytes = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_bytes_ -= bytes.size();
        sent_bytes_ += bytes.size();
        sent_.push_back({bytes.size(), now});
        ask(ask_append, sent_count_++, wish_.subject, bytes);
    }
}

void stream_log::on_appended(std::uint64_t which, std::string_view reply, time_point now) {
    if (sent_.empty() || which != sent_count_ - sent_.size())
        return lose(to_->name() + " has not answered an append before the next one");
    const auto sequence = read_appended(reply);
    if (!sequence) return lose(to_->name() + " refuses a record (" + sequence.error() + ")");
    if (*sequence <= std::max(appended_, found_->last)) {
        return lose(
            "the stream " + wish_.name + " of " + to_->name() + " has gone back, so it has lost records"
        );
    }
    appended_ = *sequence;
    sent_bytes_ -= sent_.front().bytes;
    heard_.on_freed(sent_.front().bytes);
    sent_.pop_front();
    tell(cluster::appended{number_, 1});
    pump(now);
}

void stream_log::trim(cluster::mark before) {
    if (is_open_) ask(ask_trim, 0, api("STREAM.PURGE." + wish_.name), purge_request(before.high));
}

// --- time ---

void stream_log::on_time(time_point now) {
    if (closed_) return;
    const std::string who = to_ != nullptr ? to_->name() : "the broker";
    const std::string said = to_ != nullptr ? to_->complaint() : "";
    if (!is_open_) {
        if (now - opening_since_ > opening_time_max)
            fail(who + " was not ready within 4.5 seconds: does it still run?" + said);
        return;
    }
    if (!sent_.empty() && now - sent_.front().at > patience)
        return fail(who + " has not answered an append to " + wish_.name + " for 3 seconds" + said);
    if (now - heard_at_ > patience)
        fail(who + " has said nothing about the stream " + wish_.name + " for 3 seconds" + said);
}

}  // namespace pulsewire::shell::nats
