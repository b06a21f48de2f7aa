#include "server/broker/redis/appender.hpp"

#include "server/broker/redis/errors.hpp"
#include "server/broker/redis/stream.hpp"

#include <utility>

namespace pulsewire::shell::redis {

appender::appender(std::shared_ptr<connection> to, std::uint32_t wait_replicas, listener heard)
    : to_(std::move(to)), wait_replicas_(wait_replicas), heard_(std::move(heard)) {}

void appender::append(origin from, const std::string& key, std::string bytes) {
    if (wait_replicas_ == 0) return send(from, key, bytes);
    next_bytes_ += bytes.size();
    next_.push_back({from, key, std::move(bytes)});
    if (next_bytes_ > unsent_bytes_max) {
        return to_->fail(to_->name() + " takes less than it is given: more than 32 MB wait for its replicas");
    }
    if (!waits_) send_batch();
}

void appender::send(origin from, std::string_view key, std::string_view bytes) {
    to_->send({"XADD", key, "*", record_field, bytes}, [this, from](reply&& answer) {
        if ((*answer).is_error()) return heard_.on_refused(from, (*answer).text());
        if (wait_replicas_ == 0) return heard_.on_appended(from);
        written_.push_back(from);
    });
}

void appender::send_batch() {
    waits_ = true;
    next_bytes_ = 0;
    for (const auto& each : std::exchange(next_, {})) send(each.from, each.key, each.bytes);
    const std::string replicas = std::to_string(wait_replicas_);
    const std::string timeout_ms = std::to_string(wait_time.count());
    to_->send({"WAIT", replicas, timeout_ms}, [this](reply&& answer) { on_waited(*answer); });
}

void appender::on_waited(reply_view answer) {
    if (answer.is_error()) return to_->fail(sentence_of_error(to_->name(), answer.text()));
    if (answer.number() < wait_replicas_) {
        return to_->fail(
            "only " + std::to_string(answer.number()) + " of the " + std::to_string(wait_replicas_) +
            " replicas that an append waits for have answered " + to_->name() + " within 2 seconds"
        );
    }
    waits_ = false;
    for (const auto& each : std::exchange(written_, {})) heard_.on_appended(each);
    if (!next_.empty()) send_batch();
}

}  // namespace pulsewire::shell::redis
