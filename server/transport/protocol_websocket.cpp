// GET /ws: the frames of pulsewire.v1 over WebSocket (protocol 2.1).

#include "common/exchange/message_text.hpp"
#include "common/protocol/websocket_deflate.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/shard/shard.hpp"
#include "server/transport/handshake.hpp"
#include "server/transport/websocket_conversation.hpp"

namespace pulsewire::shell {
namespace {

class protocol_websocket final : public websocket_conversation {
public:
    protocol_websocket(connection& owner, shard& own_shard, bool compressed, access::principal_ptr who)
        : websocket_conversation(transport::websocket, owner, own_shard),
          compressed_(compressed),
          who_(std::move(who)) {}

    void on_begin() override {
        if (compressed_) allow_compression();
        owner().out().set_framing(delivery::framing::websocket);
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.open(owner().id(), hub::face::protocol, {}, {}, now, owner().source(), std::move(who_));
        });
    }

    void on_message(const hub::message_ptr& m, delivery::counts how) override {
        if (closing()) return;
        if (m->takes_binary) owner().out().set_framing(delivery::framing::websocket_binary);
        owner().out().push_message(m, how);
        owner().flush_soon();
    }

private:
    std::size_t on_data(std::string_view data, message_form form) override {
        std::size_t all = 0;
        for (std::size_t done = 1; all < data.size() && done != 0 && owner().has_room(); all += done)
            own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
                done = h.receive(owner().id(), data.substr(all), now, owner().out().room(), form);
            });
        return all;
    }
    void on_oversized(std::string_view head) override {
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.receive_oversized(owner().id(), head, now);
        });
    }
    void say_close(close_code code, std::string_view reason) override {
        on_message(hub::make_close(code, 0, reason), delivery::counts::as_live);
    }

    bool compressed_;
    access::principal_ptr who_;
};

}  // namespace

void open_websocket(http_conversation& c) {
    auto key = read_handshake(c.asked());
    if (!key) return c.answer(std::move(key).error());
    if (!offers_subprotocol(c.asked())) {
        return c.answer(error_response(
            400, error_code::not_supported,
            "offer the subprotocol pulsewire.v1, as in new WebSocket(url, 'pulsewire.v1'); for raw text "
            "without a "
            "subprotocol use /ws/plain/<channel>"
        ));
    }
    response head = accept_handshake(*key);
    head.add("Sec-WebSocket-Protocol", std::string(subprotocol));
    const bool compressed = c.own_shard().bounds().websocket_compression && offers_compression(c.asked());
    if (compressed) head.add("Sec-WebSocket-Extensions", std::string(websocket::deflate_accepted));
    c.upgrade(
        std::move(head), std::make_unique<protocol_websocket>(c.owner(), c.own_shard(), compressed, c.who())
    );
}

}  // namespace pulsewire::shell
