#include "server/forward/redis/writing.hpp"

#include "server/broker/redis/errors.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <string_view>

namespace pulsewire::shell::forward {
namespace {

constexpr std::size_t batch_max = 128;
// The field of an entry that holds the value.
constexpr std::string_view value_field = "payload";

}  // namespace

redis_writing::redis_writing(const redis::dialer& to, const forward_settings& of, listener heard)
    : to_(to), of_(of), heard_(std::move(heard)) {
    if (to_.broker.how == redis::address::kind::single) {
        connect(to_.broker.hosts.front());
        return;
    }
    search_ = std::make_unique<redis::master_search>(
        to_, of_.to,
        [this](const result<endpoint, std::string>& found) {
            if (!found) return lose(found.error());
            connect(*found);
        }
    );
}

redis_writing::~redis_writing() {
    if (connection_) connection_->close();
}

void redis_writing::connect(const endpoint& to) {
    connection_ = redis::connection::open(
        to_, to, redis::connection::login::required, [this] { heard_.on_ready(); },
        [this](const std::string& reason) { lose(reason); }
    );
}

// What comes in one turn of the loop leaves in one batch.
void redis_writing::send(ticket number, record&& what) {
    if (is_lost_) return;
    waiting_.emplace_back(number, std::move(what));
    if (std::exchange(is_flush_due_, true)) return;
    boost::asio::post(to_.loop, [this, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        is_flush_due_ = false;
        flush();
    });
}

void redis_writing::flush() {
    if (is_lost_ || waiting_.empty() || !batch_.empty()) return;
    const auto note_refusal = [this](redis::reply&& answer) {
        if ((*answer).is_error() && refusal_.empty()) refusal_ = (*answer).text();
    };
    const std::string length_max = std::to_string(of_.stream_length_max);
    connection_->send({"MULTI"}, note_refusal);
    for (; !waiting_.empty() && batch_.size() < batch_max; waiting_.pop_front()) {
        const auto& [number, what] = waiting_.front();
        std::vector<std::string_view> words = {"XADD", what.to};
        if (of_.stream_length_max != 0) words.insert(words.end(), {"MAXLEN", "~", length_max});
        words.push_back("*");
        for (const auto& [name, value] : what.headers) words.insert(words.end(), {name, value});
        words.insert(words.end(), {"content-type", what.content_type, value_field, what.value});
        connection_->send(words, note_refusal);
        batch_.push_back(number);
    }
    connection_->send({"EXEC"}, [this](redis::reply&& answer) { on_batch(*answer); });
}

void redis_writing::on_batch(redis::reply_view answer) {
    const auto fault = [&](std::string_view why) {
        lose(redis::sentence_of_error(connection_->name(), why));
    };
    // The reason stands at the command, and that of EXEC says only that there is one.
    if (!refusal_.empty()) return fault(refusal_);
    if (answer.is_error()) return fault(answer.text());
    for (std::size_t i = 0; i < answer.size(); ++i)
        if (answer[i].is_error()) return fault(answer[i].text());
    if (answer.size() != batch_.size()) return fault("ERR the transaction was not carried out");
    for (const ticket number : std::exchange(batch_, {})) heard_.on_acknowledged(number);
    flush();
}

void redis_writing::lose(std::string reason) {
    if (std::exchange(is_lost_, true)) return;
    if (connection_) connection_->close();
    heard_.on_lost(std::move(reason));
}

}  // namespace pulsewire::shell::forward
