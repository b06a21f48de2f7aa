#include "server/feed/redis/reading.hpp"

#include "common/base/utf8_validator.hpp"
#include "common/protocol/line_writer.hpp"
#include "server/broker/redis/errors.hpp"
#include "server/log.hpp"
#include "server/random.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace pulsewire::shell::feed {
namespace {

// The name of the group's only consumer.
constexpr std::string_view consumer_name = "pulsewire";
// A reader that is dead holds the others up for so long. Longer than a connection's patience, so that a
// reader whose server does not answer has stopped before the lease ends.
constexpr std::string_view lease_ms = "6000";
constexpr std::chrono::milliseconds lease_interval{1'000};
// How long the server keeps a question for new entries.
constexpr std::chrono::milliseconds block_time{1'000};
constexpr std::string_view block_ms = "1000";
// Entries of one answer.
constexpr std::size_t entries_max = 64;

// In a cluster the lease must be on the server that has the stream: the part in braces decides.
std::string lease_of(const consume_settings& of) {
    const bool has_tag = of.from.find('{') != std::string::npos;
    return (has_tag ? of.from : "{" + of.from + "}") + ":pulsewire:reader:" + of.group;
}

// Only the holder may prolong or give up a lease.
constexpr std::string_view renew_script =
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('pexpire',KEYS[1],ARGV[2]) end return 0";
constexpr std::string_view release_script =
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0";

}  // namespace

redis_reading::redis_reading(
    const redis::dialer& from, const consume_settings& of, ticket& last, listener heard
)
    : from_(from),
      of_(of),
      last_(last),
      heard_(std::move(heard)),
      lease_(lease_of(of)),
      lease_name_(random_secret()),
      timer_(from.loop) {
    if (from_.broker.how == redis::address::kind::single) {
        connect(from_.broker.hosts.front());
        return;
    }
    search_ = std::make_unique<redis::master_search>(
        from_, of_.from,
        [this](const result<endpoint, std::string>& found) {
            if (!found) return lose(found.error());
            connect(*found);
        }
    );
}

redis_reading::~redis_reading() {
    if (commanding_) commanding_->close();
    if (waiting_) waiting_->close();
}

void redis_reading::connect(const endpoint& to) {
    for (auto* const which : {&commanding_, &waiting_}) {
        *which = redis::connection::open(
            from_, to, redis::connection::login::required, [this] { on_ready(); },
            [this](const std::string& reason) { lose(reason); }
        );
    }
}

void redis_reading::on_ready() {
    if (++ready_ == 2) make_group();
}

void redis_reading::make_group() {
    const std::string_view begin = of_.from_newest ? "$" : "0";
    commanding_->send(
        {"XGROUP", "CREATE", of_.from, of_.group, begin, "MKSTREAM"},
        [this](redis::reply&& answer) {
            const std::string_view text = (*answer).text();
            if ((*answer).is_error() && !text.starts_with("BUSYGROUP"))
                return lose(redis::sentence_of_error(commanding_->name(), text));
            take_lease();
        }
    );
}

// --- who reads ---

void redis_reading::take_lease() {
    commanding_->send({"SET", lease_, lease_name_, "NX", "PX", lease_ms}, [this](redis::reply&& answer) {
        if ((*answer).is_error())
            return lose(redis::sentence_of_error(commanding_->name(), (*answer).text()));
        if (!(*answer).is_nil()) return begin();
        heard_.on_waiting();
        after(lease_interval, [this] { take_lease(); });
    });
}

void redis_reading::renew_lease() {
    commanding_->send(
        {"EVAL", renew_script, "1", lease_, lease_name_, lease_ms},
        [this](redis::reply&& answer) {
            if ((*answer).is_error())
                return lose(redis::sentence_of_error(commanding_->name(), (*answer).text()));
            if ((*answer).number() != 1)
                return lose("another server reads now: this one was too slow to say that it still does");
            after(lease_interval, [this] { renew_lease(); });
        }
    );
}

void redis_reading::begin() {
    is_reading_ = true;
    after(lease_interval, [this] { renew_lease(); });
    heard_.on_reading();
    read();
}

// --- reading ---

void redis_reading::set_room(std::size_t records) {
    room_ = records;
    read();
}

// First what was given before, to whomever, and was not acknowledged; then what is new. Only the latter may
// keep the server waiting.
void redis_reading::read() {
    if (!is_reading_ || asks_ || room_ == 0 || is_lost_) return;
    asks_ = true;
    const std::string count = std::to_string(std::min(room_, entries_max));
    std::vector<std::string_view> words = {"XREADGROUP", "GROUP", of_.group, consumer_name, "COUNT", count};
    const bool is_new = pending_after_.empty();
    if (is_new) words.insert(words.end(), {"BLOCK", block_ms});
    words.insert(words.end(), {"STREAMS", of_.from, is_new ? ">" : std::string_view(pending_after_)});
    waiting_->send(
        words,
        [this](redis::reply&& answer) {
            if ((*answer).is_error())
                return lose(redis::sentence_of_error(waiting_->name(), (*answer).text()));
            on_entries((*answer)[0][1]);
            asks_ = false;
            read();
        },
        is_new ? block_time : std::chrono::milliseconds(0)
    );
}

void redis_reading::on_entries(redis::reply_view entries) {
    if (!pending_after_.empty())
        pending_after_ = entries.size() == 0 ? "" : std::string(entries[entries.size() - 1][0].text());
    for (std::size_t i = 0; i < entries.size() && !is_lost_; ++i) give(entries[i]);
}

void redis_reading::give(redis::reply_view entry) {
    record one;
    one.number = ++last_;
    one.position = entry[0].text();
    ids_.emplace(one.number, one.position);
    const redis::reply_view fields = entry[1];
    // The stream was trimmed, or the entry deleted, after it had been given to a reader.
    if (fields.is_nil()) one.fault = "the entry was removed from the stream before it was published";
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2)
        one.headers.emplace_back(fields[i].text(), fields[i + 1].text());
    const auto field = [&](std::string_view name) {
        return std::find_if(one.headers.begin(), one.headers.end(), [&](const auto& each) {
            return each.first == name;
        });
    };
    if (const auto key = field("key"); key != one.headers.end()) one.key = key->second;
    if (!of_.field.empty()) {
        if (const auto value = field(of_.field); value != one.headers.end())
            one.value = value->second;
        else if (one.fault.empty())
            one.fault = "the entry has no field " + log::printable(of_.field);
    } else {
        char separator = '{';
        for (const auto& [name, value] : one.headers) {
            if (!is_utf8(name) || !is_utf8(value)) one.fault = "a field of the entry is not UTF-8";
            for (const std::string* const text : {&name, &value}) {
                one.value += std::exchange(separator, text == &name ? ':' : ',');
                one.value += '"';
                append_escaped(one.value, *text);
                one.value += '"';
            }
        }
        one.value += '}';
    }
    room_ -= std::min<std::size_t>(room_, 1);
    heard_.on_record(std::move(one));
}

// --- what became of it ---

void redis_reading::acknowledge(ticket number) {
    const auto found = ids_.find(number);
    if (found == ids_.end() || is_lost_) return;
    commanding_->send({"XACK", of_.from, of_.group, found->second}, [this](redis::reply&& answer) {
        if ((*answer).is_error()) lose(redis::sentence_of_error(commanding_->name(), (*answer).text()));
    });
    ids_.erase(found);
}

void redis_reading::bury(const record& bad, const std::string& reason) {
    if (is_lost_ || !ids_.contains(bad.number)) return;
    std::vector<std::string_view> words = {"XADD",      of_.dead_letters, "*",      "pulsewire-reason",
                                           reason,      "pulsewire-from", of_.from, "pulsewire-position",
                                           bad.position};
    for (const auto& [name, value] : bad.headers) words.insert(words.end(), {name, value});
    commanding_->send(words, [this, number = bad.number](redis::reply&& answer) {
        const bool refused = (*answer).is_error();
        const std::string error =
            refused ? redis::sentence_of_error(commanding_->name(), (*answer).text()) : std::string();
        // Errors of the whole server pass, and then the record comes again.
        if (refused && !redis::concerns_one_log((*answer).text())) return lose(error);
        acknowledge(number);
        heard_.on_buried(number, error);
    });
}

void redis_reading::release(std::function<void()> done) {
    room_ = 0;
    if (!is_reading_ || is_lost_) return done();
    commanding_->send(
        {"EVAL", release_script, "1", lease_, lease_name_},
        [done = std::move(done)](redis::reply&&) { done(); }
    );
}

// --- ending ---

void redis_reading::after(std::chrono::milliseconds delay, std::function<void()> then) {
    timer_.expires_after(delay);
    timer_.async_wait([this, alive = std::weak_ptr(alive_), then = std::move(then)](const auto& error) {
        if (!error && !alive.expired() && !is_lost_) then();
    });
}

void redis_reading::lose(std::string reason) {
    if (std::exchange(is_lost_, true)) return;
    timer_.cancel();
    if (commanding_) commanding_->close();
    if (waiting_) waiting_->close();
    heard_.on_lost(std::move(reason));
}

}  // namespace pulsewire::shell::feed
