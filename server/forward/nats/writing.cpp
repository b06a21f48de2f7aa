#include "server/forward/nats/writing.hpp"

#include "server/broker/nats/jetstream.hpp"
#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::shell::forward {
namespace {

constexpr std::chrono::milliseconds answer_look_interval{500};
constexpr int nobody_listens = 503;
// What NATS takes by default, without room for the head.
constexpr std::size_t value_bytes_max = (std::size_t{1} << 20) - (std::size_t{8} << 10);

}  // namespace

nats_writing::nats_writing(
    boost::asio::io_context& loop, const nats::address& where, const forward_settings& of, listener heard
)
    : of_(of),
      heard_(std::move(heard)),
      timer_(loop),
      connection_(
          loop, where, of.broker_ca_file,
          nats::connection::listener{
              .on_ready = [this] { heard_.on_ready(); },
              .on_message = [this](const nats::delivery& one) { on_message(one); },
              .on_failure = [this](const std::string& reason) { lose(reason); },
          }
      ) {
    on_time();
}

void nats_writing::send(ticket number, record&& what) {
    if (is_lost_) return;
    if (what.value.size() > value_bytes_max) {
        // Not from within a call.
        boost::asio::post(timer_.get_executor(), [this, number, alive = std::weak_ptr(alive_)] {
            if (!alive.expired() && !is_lost_)
                heard_.on_refused(number, "it is larger than a message of NATS");
        });
        return;
    }
    std::vector<std::pair<std::string, std::string>> headers = {
        {"Nats-Msg-Id", what.id}, {"content-type", std::string(what.content_type)}};
    for (const auto& [name, value] : what.headers) headers.emplace_back(name, value);
    sent_.emplace(number, sent{clock::now(), what.to});
    connection_.publish(what.to, connection_.inbox() + "." + std::to_string(number), what.value, headers);
}

void nats_writing::on_message(const nats::delivery& answer) {
    const std::string prefix = connection_.inbox() + ".";
    if (is_lost_ || !answer.subject.starts_with(prefix)) return;
    const std::string_view name = answer.subject.substr(prefix.size());
    ticket number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    const auto found = sent_.extract(number);
    if (found.empty()) return;
    if (answer.status == nobody_listens)
        return lose(
            connection_.name() + " has no stream that keeps the subject " +
            log::printable(found.mapped().subject) + ": make one (nats stream add)"
        );
    if (const auto error = nats::error_of(answer.bytes)) return lose(connection_.name() + ": " + *error);
    heard_.on_acknowledged(number);
}

void nats_writing::on_time() {
    if (is_lost_) return;
    const auto now = clock::now();
    for (const auto& [number, one] : sent_)
        if (now - one.since > nats::patience)
            return lose(
                connection_.name() + " has not confirmed a record of " + log::printable(one.subject) +
                " within 3 seconds: a stream must keep this subject" + connection_.complaint()
            );
    timer_.expires_after(answer_look_interval);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const auto& error) {
        if (!error && !alive.expired()) on_time();
    });
}

void nats_writing::lose(std::string reason) {
    if (std::exchange(is_lost_, true)) return;
    timer_.cancel();
    heard_.on_lost(std::move(reason));
}

}  // namespace pulsewire::shell::forward
