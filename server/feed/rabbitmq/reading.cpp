#include "server/feed/rabbitmq/reading.hpp"

#include "server/feed/consumer.hpp"
#include "server/feed/dead_letter.hpp"
#include "server/log.hpp"
#include "server/random.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace pulsewire::shell::feed {
namespace {

constexpr std::chrono::milliseconds take_over_interval{1'000};
// Channels of the connection.
constexpr amqp_channel_t records_channel = 1;
constexpr amqp_channel_t burials_channel = 2;
constexpr amqp_channel_t probe_channel = 3;

// A text or a whole number; what else a header may be has no text.
std::optional<std::string> text_of_header(const amqp_field_value_t& value) {
    switch (value.kind) {
        case AMQP_FIELD_KIND_UTF8:
        case AMQP_FIELD_KIND_BYTES:
            return std::string(rabbitmq::text_of(value.value.bytes));
        case AMQP_FIELD_KIND_BOOLEAN:
            return value.value.boolean ? "true" : "false";
        case AMQP_FIELD_KIND_I32:
            return std::to_string(value.value.i32);
        case AMQP_FIELD_KIND_I64:
            return std::to_string(value.value.i64);
        default:
            return std::nullopt;
    }
}

}  // namespace

rabbitmq_reading::rabbitmq_reading(
    const rabbitmq::dialer& from, const consume_settings& of, ticket& last, listener heard
)
    : of_(of),
      last_(last),
      heard_(std::move(heard)),
      nonce_(random_secret()),
      timer_(from.loop),
      connection_(rabbitmq::connection::open(
          from, 0,
          rabbitmq::connection::listener{
              .on_ready = [this] { on_ready(); },
              .on_frame = [this](const amqp_frame_t& frame) { on_frame(frame); },
              .on_pause = {},
              .on_failure = [this](const std::string& reason) { lose(reason); },
          }
      )) {
    on_time();
}

rabbitmq_reading::~rabbitmq_reading() {
    connection_->close();
}

std::string rabbitmq_reading::queue() const {
    return "the queue " + log::printable(of_.from) + " of " + connection_->name();
}

// --- reading ---

void rabbitmq_reading::on_ready() {
    if (!of_.dead_letters.empty()) open_burials();
    take_over();
}

// Refused while another one reads, and the channel with it.
void rabbitmq_reading::take_over() {
    asks_ = true;
    connection_->open_channel(records_channel);
    amqp_basic_qos_t qos{};
    qos.prefetch_count = in_flight_max;
    connection_->send(records_channel, AMQP_BASIC_QOS_METHOD, qos);
    consume(records_channel);
}

void rabbitmq_reading::consume(amqp_channel_t channel) {
    amqp_basic_consume_t wish{};
    wish.queue = rabbitmq::bytes_of(of_.from);
    wish.consumer_tag = rabbitmq::bytes_of(of_.group);
    wish.exclusive = 1;
    connection_->send(channel, AMQP_BASIC_CONSUME_METHOD, wish);
}

void rabbitmq_reading::on_frame(const amqp_frame_t& frame) {
    if (is_lost_) return;
    if (frame.frame_type == AMQP_FRAME_METHOD) return on_method(frame.channel, frame.payload.method);
    // What is returned of a burial comes with its content.
    if (frame.channel != records_channel) return;
    frame.frame_type == AMQP_FRAME_HEADER ? on_header(frame)
                                          : on_body(rabbitmq::text_of(frame.payload.body_fragment));
}

void rabbitmq_reading::on_method(amqp_channel_t channel, const amqp_method_t& method) {
    if (channel == records_channel) return on_record_method(method);
    if (channel == burials_channel) return on_burial_method(method);
    if (method.id == AMQP_BASIC_CONSUME_OK_METHOD)
        lose(queue() + " lets two read at once, which keeps no order: it must be a classic queue");
}

void rabbitmq_reading::on_record_method(const amqp_method_t& method) {
    switch (method.id) {
        case AMQP_BASIC_CONSUME_OK_METHOD:
            // Quorum queues and streams pass over the wish to be alone: it must be refused to a second one.
            connection_->open_channel(probe_channel);
            consume(probe_channel);
            return begin();
        case AMQP_BASIC_DELIVER_METHOD: {
            const auto& one = rabbitmq::as<amqp_basic_deliver_t>(method);
            read_ = {one.delivery_tag, 0, {}};
            read_.what.key = std::string(rabbitmq::text_of(one.routing_key));
            return;
        }
        case AMQP_BASIC_CANCEL_METHOD:
            return lose(queue() + " is there no more, or has lost its leader");
        case AMQP_BASIC_CANCEL_OK_METHOD:
            if (const auto done = std::exchange(released_, nullptr)) done();
            return;
        case AMQP_CHANNEL_CLOSE_METHOD:
            return on_refused(rabbitmq::as<amqp_channel_close_t>(method));
        default:
            return;
    }
}

void rabbitmq_reading::on_refused(const amqp_channel_close_t& why) {
    asks_ = false;
    const std::string words = " (" + rabbitmq::said(why.reply_text) + ")";
    if (words.find("in exclusive use") != std::string::npos && !is_reading_) return heard_.on_waiting();
    lose(
        queue() + (why.reply_code == AMQP_NOT_FOUND ? " does not exist: make it first" : " cannot be read") +
        words
    );
}

// Records may come before the answer that announces them.
void rabbitmq_reading::begin() {
    if (std::exchange(is_reading_, true)) return;
    heard_.on_reading();
}

void rabbitmq_reading::on_header(const amqp_frame_t& frame) {
    const auto& properties = *static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
    read_.size = frame.payload.properties.body_size;
    record& what = read_.what;
    if ((properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0)
        what.position = rabbitmq::text_of(properties.message_id);
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0)
        for (int i = 0; i < properties.headers.num_entries; ++i) {
            const amqp_table_entry_t& each = properties.headers.entries[i];
            if (auto text = text_of_header(each.value))
                what.headers.emplace_back(rabbitmq::text_of(each.key), std::move(*text));
        }
    if (read_.size > rabbitmq_record_bytes_max) what.fault = "the record is larger than 1 MB";
    if (read_.size == 0) give();
}

void rabbitmq_reading::on_body(std::string_view part) {
    read_.size -= std::min(read_.size, std::uint64_t{part.size()});
    if (read_.what.fault.empty()) read_.what.value.append(part);
    if (read_.size == 0) give();
}

// AMQP gives records no place: whatever the writer has not named may come twice after a crash.
void rabbitmq_reading::give() {
    begin();
    record found = std::move(read_.what);
    found.number = ++last_;
    if (found.position.empty()) {
        found.position = nonce_ + "-" + std::to_string(found.number);
        if (of_.key.empty() && !std::exchange(has_warned_, true))
            log::warning(
                "consume \"", of_.name, "\": records of ", queue(),
                " have no message_id, so one that is read again after a crash is a second message. Let the "
                "writer give each an id, or name what tells them apart by \"key\""
            );
    }
    tags_.emplace(found.number, read_.tag);
    heard_.on_record(std::move(found));
}

void rabbitmq_reading::acknowledge(ticket number) {
    const auto found = tags_.extract(number);
    if (found.empty() || is_lost_) return;
    amqp_basic_ack_t one{};
    one.delivery_tag = found.mapped();
    connection_->send(records_channel, AMQP_BASIC_ACK_METHOD, one);
}

// --- bad records ---

void rabbitmq_reading::open_burials() {
    last_burial_ = 0;
    connection_->open_channel(burials_channel);
    connection_->send(burials_channel, AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t{});
}

void rabbitmq_reading::bury(const record& bad, const std::string& reason) {
    if (is_lost_ || !tags_.contains(bad.number)) return;
    burials_.emplace(++last_burial_, burial{bad.number, clock::now()});
    connection_->send(
        burials_channel, rabbitmq::message{of_.dead_letters, {}, dead_letter_of(bad, reason, of_.from)}
    );
}

void rabbitmq_reading::on_burial_method(const amqp_method_t& method) {
    switch (method.id) {
        case AMQP_BASIC_RETURN_METHOD:
            returned_ = "there is no such queue";
            return;
        case AMQP_BASIC_ACK_METHOD: {
            const auto& answer = rabbitmq::as<amqp_basic_ack_t>(method);
            return on_buried(answer.delivery_tag, answer.multiple != 0, std::exchange(returned_, {}));
        }
        case AMQP_BASIC_NACK_METHOD: {
            const auto& answer = rabbitmq::as<amqp_basic_nack_t>(method);
            return on_buried(
                answer.delivery_tag, answer.multiple != 0, "the queue is full, or not available"
            );
        }
        case AMQP_CHANNEL_CLOSE_METHOD: {
            const std::string why = rabbitmq::said(rabbitmq::as<amqp_channel_close_t>(method).reply_text);
            open_burials();
            return end_burials([](std::uint64_t, const burial&) { return true; }, why);
        }
        default:
            return;
    }
}

void rabbitmq_reading::on_buried(std::uint64_t tag, bool multiple, const std::string& refused) {
    end_burials(
        [&](std::uint64_t each, const burial&) { return each == tag || (multiple && each < tag); }, refused
    );
}

void rabbitmq_reading::end_burials(
    const std::function<bool(std::uint64_t tag, const burial&)>& which, const std::string& refused
) {
    std::vector<ticket> ended;
    std::erase_if(burials_, [&](const auto& one) {
        const bool ends = which(one.first, one.second);
        if (ends) ended.push_back(one.second.number);
        return ends;
    });
    for (const ticket number : ended) {
        acknowledge(number);
        heard_.on_buried(number, refused);
    }
}

// --- time ---

// What was not acknowledged goes back when the connection ends.
void rabbitmq_reading::release(std::function<void()> done) {
    if (is_lost_ || !is_reading_) return done();
    released_ = std::move(done);
    amqp_basic_cancel_t cancel{};
    cancel.consumer_tag = rabbitmq::bytes_of(of_.group);
    connection_->send(records_channel, AMQP_BASIC_CANCEL_METHOD, cancel);
}

void rabbitmq_reading::on_time() {
    if (is_lost_) return;
    const auto now = clock::now();
    end_burials(
        [&](std::uint64_t, const burial& each) { return now - each.since > rabbitmq::patience; },
        "nobody has confirmed it"
    );
    if (connection_->is_ready() && !is_reading_ && !asks_) take_over();
    timer_.expires_after(take_over_interval);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const auto& error) {
        if (!error && !alive.expired()) on_time();
    });
}

void rabbitmq_reading::lose(std::string reason) {
    if (std::exchange(is_lost_, true)) return;
    timer_.cancel();
    connection_->close();
    if (const auto done = std::exchange(released_, nullptr)) return done();
    heard_.on_lost(std::move(reason));
}

}  // namespace pulsewire::shell::feed
