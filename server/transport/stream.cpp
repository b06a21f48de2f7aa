// GET /sse and POST /sse: the frames of pulsewire.v1, the server's half as an event stream and the client's
// by POST (protocol 2.2, 8.1, 8.2).

#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/random.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"
#include "server/transport/event_conversation.hpp"
#include "server/transport/event_response.hpp"
#include "server/transport/shared_line.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace pulsewire::shell {
namespace {

class stream final : public event_conversation {
public:
    stream(connection& owner, shard& own_shard) : event_conversation(transport::sse, owner, own_shard) {}

    void on_begin() override {
        secret_ = own_shard().streams().add(owner().id(), random_secret());
        std::string first;
        event_stream::append_stream_event(first, secret_);
        owner().out().push_raw(std::move(first));
        owner().out().set_framing(outbound::framing::event_stream);
        owner().flush_soon();
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.open(owner().id(), hub::face::protocol_stream, secret_, {}, now);
        });
    }

    // The hub's lines hold no carriage return, so each is one data line as it is.
    void on_message(const hub::message_ptr& m, outbound::counts how) override {
        push_message(owner().out(), m, how);
        owner().flush_soon();
    }

    std::shared_ptr<line_run> run_of(gathering& all) override {
        return run_of_lines(all, owner().out(), event_stream::data_prefix);
    }

    void on_lost() override {
        own_shard().streams().remove(secret_);
        event_conversation::on_lost();
    }

private:
    void push_close(const hub::message_ptr& close) override { owner().out().push_line(line_of(close)); }

    std::string secret_;
};

response stream_is_gone() {
    return error_response(
        404, error_code::not_connected, "there is no such stream; open a new one with GET /sse"
    );
}

response taken() {
    response r;
    r.status = 204;
    return r;
}

bool give_to_stream(shard& target, std::string_view secret, std::string_view lines) {
    const auto connection = target.streams().find(secret);
    if (!connection) return false;
    target.tell_hub([&](hub::hub& h, hub::instant now) { h.receive(*connection, lines, now); });
    return true;
}

// The stream lives on another shard: the lines go there, and the answer comes back.
void hop_to_stream(http_conversation& c, shard& target, std::string secret) {
    shard& asker = c.own_shard();
    const std::uint64_t connection = c.owner().id();
    const std::uint64_t ticket = c.wait_for_answer();
    boost::asio::post(
        target.loop(),
        [&asker, &target, connection, ticket, secret = std::move(secret), lines = std::string(c.body())] {
            const bool found = give_to_stream(target, secret, lines);
            boost::asio::post(asker.loop(), [&asker, connection, ticket, found] {
                auto* waiting = http_conversation::waiting(asker, connection, ticket);
                if (waiting != nullptr) waiting->answer(found ? taken() : stream_is_gone());
            });
        }
    );
}

}  // namespace

void open_stream(http_conversation& c) {
    c.upgrade(event_response(), std::make_unique<stream>(c.owner(), c.own_shard()));
}

void post_to_stream(http_conversation& c) {
    const std::string secret(c.asked().field("Pulsewire-Connection"));
    if (secret.empty()) {
        return c.answer(error_response(
            400, error_code::invalid_frame,
            "name the stream in the field Pulsewire-Connection; its first event tells the value"
        ));
    }
    const auto index = stream_names::shard_of(secret);
    node& all = c.own_node();
    if (!index || *index >= all.shard_count()) return c.answer(stream_is_gone());
    shard& target = all.at(*index);
    if (&target != &c.own_shard()) return hop_to_stream(c, target, secret);
    c.answer(give_to_stream(target, secret, c.body()) ? taken() : stream_is_gone());
}

}  // namespace pulsewire::shell
