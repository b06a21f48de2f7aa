// GET /ws/plain/<channel>: raw text in and out, without any library on the other side (protocol section 10).

#include "common/message/json.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/names.hpp"
#include "common/protocol/websocket_writer.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/http/text.hpp"
#include "server/http/token.hpp"
#include "server/random.hpp"
#include "server/shard/shard.hpp"
#include "server/transport/handshake.hpp"
#include "server/transport/websocket_conversation.hpp"

namespace pulsewire::shell {
namespace {

constexpr std::uint64_t subscribe_id = 1;

// A JSON string as its text, everything else as its JSON.
std::string text_of(std::string_view payload) {
    const bool is_string = payload.size() >= 2 && payload.front() == '"';
    return is_string ? unescaped(payload.substr(1, payload.size() - 2)) : std::string(payload);
}

class plain_websocket final : public websocket_conversation {
public:
    plain_websocket(connection& owner, shard& own_shard, std::string channel, access::principal_ptr who)
        : websocket_conversation(transport::plain_websocket, owner, own_shard),
          channel_(std::move(channel)),
          who_(std::move(who)) {}

    void on_begin() override {
        owner().out().set_framing(delivery::framing::plain);
        command subscribe;
        subscribe.op = command_op::subscribe;
        subscribe.id = subscribe_id;
        subscribe.channel = channel_;
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.open(
                owner().id(), hub::face::plain_websocket, {}, random_secret(), now, owner().source(), who_
            );
            h.execute(owner().id(), subscribe, now);
        });
    }

    void on_message(const hub::message_ptr& m, delivery::counts how) override {
        if (closing()) return;
        switch (m->kind) {
            case hub::message_kind::publication:
            case hub::message_kind::direct:
                return say(own_shard().texts().of(m, text_of), how, m.get());
            case hub::message_kind::ping:
                owner().out().push_control(websocket::ping_frame({}));
                return owner().flush_soon();
            case hub::message_kind::error:
                return say_error(*m);
            default:
                return;
        }
    }

private:
    void say(
        delivery::shared_bytes text, delivery::counts how = delivery::counts::as_live,
        const hub::message* what = nullptr
    ) {
        owner().out().push_line(std::move(text), how, what);
        owner().flush_soon();
    }

    void say_error(const hub::message& m) {
        say(std::make_shared<const std::string>(
            "error " + std::string(name_of(m.code)) + ": " + unescaped(m.text())
        ));
        if (m.id != subscribe_id) return;
        if (m.code == error_code::forbidden)
            return end_with(close_code::unauthorized, "the channel may not be read by this client");
        end_with(close_code::try_again_later, "the channel cannot be subscribed to now");
    }

    // With `echo` false the publication does not come back here.
    std::size_t on_data(std::string_view data, message_form form) override {
        command publish;
        publish.op = command_op::publish;
        publish.channel = channel_;
        publish.type = "message";
        publish.echo = false;
        publish.binary = form == message_form::binary;
        std::string json;
        if (!publish.binary) append_json_string(json, data);
        publish.payload = publish.binary ? data : json;
        // Control bytes grow sixfold as JSON, and the receivers would get what nobody may send over /ws.
        constexpr std::size_t quotes = 2;
        if (json.size() > own_shard().settings().bounds.message_bytes_max + quotes) {
            on_oversized({});
            return data.size();
        }
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.heard(owner().id(), now);
            h.execute(owner().id(), publish, now);
        });
        return data.size();
    }
    void on_oversized(std::string_view) override {
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.receive_oversized(owner().id(), {}, now);
        });
    }
    // A client of raw text sees the code of the close frame.
    void say_close(close_code, std::string_view) override {}

    std::string channel_;
    access::principal_ptr who_;
};

}  // namespace

void open_plain_websocket(http_conversation& c, std::string_view encoded) {
    auto key = read_handshake(c.asked());
    if (!key) return c.answer(std::move(key).error());
    auto channel = decode_percent(encoded);
    if (!channel || !is_channel(*channel)) {
        return c.answer(error_response(
            400, error_code::invalid_channel,
            "the channel in the path has a length or a character that is not allowed"
        ));
    }
    if (offers_subprotocol(c.asked())) {
        return c.answer(error_response(
            400, error_code::not_supported, "raw text is spoken here; /ws has the subprotocol pulsewire.v1"
        ));
    }
    response head = accept_handshake(*key);
    if (const std::string protocol = answered_subprotocol(c.asked()); !protocol.empty())
        head.add("Sec-WebSocket-Protocol", protocol);
    c.upgrade(
        std::move(head),
        std::make_unique<plain_websocket>(c.owner(), c.own_shard(), std::move(*channel), c.who())
    );
}

}  // namespace pulsewire::shell
