#include "server/forward/rabbitmq/writing.hpp"

#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <utility>
#include <vector>

namespace pulsewire::shell::forward {
namespace {

constexpr amqp_channel_t records_channel = 1;
constexpr std::chrono::milliseconds confirm_look_interval{500};
// A queue that is replicated, or on a slow disk, takes its time; one that is blocked by an alarm says
// nothing.
constexpr std::chrono::milliseconds confirm_time_max{10'000};
constexpr std::size_t routing_key_bytes_max = 255;

}  // namespace

rabbitmq_writing::rabbitmq_writing(const rabbitmq::dialer& to, const forward_settings& of, listener heard)
    : of_(of),
      heard_(std::move(heard)),
      timer_(to.loop),
      connection_(rabbitmq::connection::open(
          to, 0,
          rabbitmq::connection::listener{
              .on_ready = [this] { on_ready(); },
              .on_frame =
                  [this](const amqp_frame_t& frame) {
                      if (!is_lost_ && frame.frame_type == AMQP_FRAME_METHOD) on_method(frame.payload.method);
                  },
              .on_pause = {},
              .on_failure = [this](const std::string& reason) { lose(reason); },
          }
      )) {
    on_time();
}

rabbitmq_writing::~rabbitmq_writing() {
    connection_->close();
}

void rabbitmq_writing::on_ready() {
    connection_->open_channel(records_channel);
    connection_->send(records_channel, AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t{});
    heard_.on_ready();
}

std::string rabbitmq_writing::place() const {
    return (of_.exchange.empty() ? "the queue " + log::printable(of_.to)
                                 : "the exchange " + log::printable(of_.exchange)) +
           " of " + connection_->name();
}

void rabbitmq_writing::send(ticket number, record&& what) {
    if (is_lost_) return;
    if (what.to.size() > routing_key_bytes_max) {
        // Not from within a call.
        boost::asio::post(timer_.get_executor(), [this, number, alive = std::weak_ptr(alive_)] {
            if (!alive.expired() && !is_lost_)
                heard_.on_refused(
                    number, "the name of its queue, or its routing key, is longer than 255 bytes"
                );
        });
        return;
    }
    sent_.emplace(++last_tag_, sent{number, clock::now()});
    connection_->send(
        records_channel,
        rabbitmq::message{
            .queue = what.to,
            .id = what.id,
            .body = what.value,
            .exchange = of_.exchange,
            .content_type = what.content_type,
            .headers = what.headers}
    );
}

void rabbitmq_writing::on_method(const amqp_method_t& method) {
    switch (method.id) {
        case AMQP_BASIC_ACK_METHOD: {
            const auto& answer = rabbitmq::as<amqp_basic_ack_t>(method);
            return on_confirmed(answer.delivery_tag, answer.multiple != 0);
        }
        case AMQP_BASIC_NACK_METHOD:
            return lose(place() + " takes nothing for now: it is full, or not available");
        // Comes before the confirm.
        case AMQP_BASIC_RETURN_METHOD:
            return lose(
                of_.exchange.empty()
                    ? place() + " does not exist: make it first"
                    : place() + " leads to no queue: bind one first, or the messages would be gone"
            );
        case AMQP_CHANNEL_CLOSE_METHOD:
            return lose(
                place() + " cannot be written to (" +
                rabbitmq::said(rabbitmq::as<amqp_channel_close_t>(method).reply_text) + ")"
            );
        default:
            return;
    }
}

void rabbitmq_writing::on_confirmed(std::uint64_t tag, bool multiple) {
    std::vector<ticket> done;
    for (auto at = sent_.begin(); at != sent_.end() && at->first <= tag;) {
        if (at->first != tag && !multiple) {
            ++at;
            continue;
        }
        done.push_back(at->second.number);
        at = sent_.erase(at);
    }
    for (const ticket number : done) heard_.on_acknowledged(number);
}

void rabbitmq_writing::on_time() {
    if (is_lost_) return;
    if (!sent_.empty() && clock::now() - sent_.begin()->second.since > confirm_time_max)
        return lose(place() + " has confirmed nothing for 10 seconds: is its server's memory or disk low?");
    timer_.expires_after(confirm_look_interval);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const auto& error) {
        if (!error && !alive.expired()) on_time();
    });
}

void rabbitmq_writing::lose(std::string reason) {
    if (std::exchange(is_lost_, true)) return;
    timer_.cancel();
    connection_->close();
    heard_.on_lost(std::move(reason));
}

}  // namespace pulsewire::shell::forward
