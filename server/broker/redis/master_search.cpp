#include "server/broker/redis/master_search.hpp"

#include "server/broker/redis/errors.hpp"

#include <boost/asio/post.hpp>

#include <charconv>
#include <utility>

namespace pulsewire::shell::redis {

master_search::master_search(const dialer& from, std::string key, on_done done)
    : from_(from), key_(std::move(key)), done_(std::move(done)), without_answer_(from.broker.hosts.size()) {
    for (std::size_t i = 0; i < from_.broker.hosts.size(); ++i) ask(i);
}

master_search::~master_search() {
    for (const auto& each : asked_) each->close();
}

void master_search::ask(std::size_t index) {
    const bool is_sentinel = from_.broker.how == address::kind::sentinel;
    const auto how = is_sentinel ? connection::login::may_be_refused : connection::login::required;
    const auto ready = [this, index, is_sentinel] {
        const auto& to = asked_[index];
        if (is_sentinel) {
            to->send(
                {"SENTINEL", "get-master-addr-by-name", from_.broker.master_name},
                [this, index](reply&& answer) { on_sentinel(index, *answer); }
            );
            return;
        }
        to->send({"CLUSTER", "KEYSLOT", key_}, [this](reply&& answer) { slot_ = (*answer).number(); });
        to->send({"CLUSTER", "SLOTS"}, [this, index](reply&& answer) { on_slots(index, *answer); });
    };
    asked_.push_back(connection::open(
        from_, from_.broker.hosts[index], how, ready,
        [this](const std::string& reason) { give_up_one(reason); }
    ));
}

void master_search::on_sentinel(std::size_t index, reply_view answer) {
    if (answer.is_error())
        return asked_[index]->fail(sentence_of_error(asked_[index]->name(), answer.text()));
    const std::string_view port_text = answer[1].text();
    endpoint found{std::string(answer[0].text()), 0};
    std::from_chars(port_text.data(), port_text.data() + port_text.size(), found.port);
    if (found.host.empty() || found.port == 0) {
        return asked_[index]->fail(
            "the sentinel at " + text_of(from_.broker.hosts[index]) + " knows no master named " +
            from_.broker.master_name
        );
    }
    finish(std::move(found));
}

// Each element is first slot, last slot, and the master as address and port.
void master_search::on_slots(std::size_t index, reply_view answer) {
    if (answer.is_error())
        return asked_[index]->fail(sentence_of_error(asked_[index]->name(), answer.text()));
    for (std::size_t i = 0; i < answer.size(); ++i) {
        if (slot_ < answer[i][0].number() || slot_ > answer[i][1].number()) continue;
        endpoint found{
            std::string(answer[i][2][0].text()), static_cast<std::uint16_t>(answer[i][2][1].number())};
        // A server that was never told its own address leaves it out.
        if (found.host.empty()) found.host = from_.broker.hosts[index].host;
        return finish(std::move(found));
    }
    asked_[index]->fail("in the cluster of " + asked_[index]->name() + " no server has the slot of " + key_);
}

void master_search::give_up_one(const std::string& reason) {
    if (--without_answer_ == 0) finish(failure(reason));
}

void master_search::finish(result<endpoint, std::string> found) {
    for (const auto& each : asked_) each->close();
    std::exchange(done_, {})(std::move(found));
}

}  // namespace pulsewire::shell::redis
