// What an operator's backend does about users: revoking their tokens and ending their connections
// (protocol 11.6), and giving them channels (11.11).

#include "common/access/principal.hpp"
#include "common/protocol/names.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <boost/asio/post.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace pulsewire::shell {
namespace {

using json = nlohmann::json;

constexpr std::size_t token_id_bytes_max = 255;
constexpr std::uint32_t within_ms_max = 10 * 60'000;

response wrong(const std::string& sentence) {
    return error_response(400, error_code::invalid_frame, sentence);
}

response done() {
    response r;
    r.status = 204;
    return r;
}

response not_kept() {
    return error_response(
        503, error_code::storage_failed,
        "the revocation cannot be kept (the disk fails, or there are too many); nothing was revoked"
    );
}

// {"user": "ann"}, {"token_id": "…"} or {"all": true}, with "issued_before" (seconds since 1970, as "iat" is)
// and "within_ms". An error is a sentence for the caller.
result<hub::revoke, std::string> read_revocation(std::string_view body, std::int64_t now_ms) {
    const json read = json::parse(body, nullptr, false);
    if (!read.is_object()) return failure{std::string("the body is a JSON object")};
    hub::revoke what;
    // A token issued in this second, before now, has this second as its time.
    what.issued_before_ms = now_ms + 1;
    int named = 0;
    for (const auto& [key, value] : read.items()) {
        if (key == "user" && value.is_string()) {
            what.user = access::wire_name_of(value.get<std::string>());
            if (!is_user(what.user))
                return failure{std::string("\"user\" is the name in the token (\"sub\")")};
            ++named;
        } else if (key == "token_id" && value.is_string()) {
            what.token_id = value.get<std::string>();
            if (what.token_id.empty() || what.token_id.size() > token_id_bytes_max)
                return failure{std::string("\"token_id\" has 1 to 255 bytes")};
            ++named;
        } else if (key == "all" && value == true) {
            ++named;
        } else if (key == "issued_before" && value.is_number_unsigned() && value < 100'000'000'000) {
            what.issued_before_ms = value.get<std::int64_t>() * 1'000;
        } else if (key == "within_ms" && value.is_number_unsigned() && value <= within_ms_max) {
            what.within_ms = value.get<std::uint32_t>();
        } else {
            return failure{
                "\"" + key +
                "\" is not known or has a value that is not allowed; there are user, token_id, all (true), "
                "issued_before (seconds since 1970) and within_ms (at most 600000)"};
        }
    }
    if (named != 1)
        return failure{std::string("name one: \"user\", \"token_id\", or \"all\": true for every token")};
    return what;
}

// {"channel": "chat:42"}. An error is a sentence for the caller.
result<std::string, std::string> read_channel(std::string_view body) {
    const json read = json::parse(body, nullptr, false);
    if (!read.is_object() || read.size() != 1 || !read.contains("channel") || !read["channel"].is_string())
        return failure{std::string("the body is {\"channel\": \"…\"}")};
    auto channel = read["channel"].get<std::string>();
    if (!is_channel(channel)) return failure{std::string("\"channel\" is not the name of a channel")};
    return channel;
}

// The user may have connections on every shard.
template <class Value>
void tell_user(http_conversation& c, std::string user) {
    auto channel = read_channel(c.body());
    if (!channel) return c.answer(wrong(channel.error()));
    Value what;
    what.channel = std::move(*channel);
    what.user = std::move(user);
    c.own_node().tell_sessions({false, what});
    c.answer(done());
}

}  // namespace

void api_revoke(http_conversation& c) {
    auto what = read_revocation(c.body(), shard_port::now().wall_ms);
    if (!what) return c.answer(wrong(what.error()));
    // The disk may take its time, and the loop has others to serve meanwhile.
    shard& asked = c.own_shard();
    const std::uint64_t connection = c.owner().id();
    const std::uint64_t ticket = c.wait_for_answer();
    c.own_node().revoke(std::move(*what), [&asked, connection, ticket](bool kept) {
        boost::asio::post(asked.loop(), [&asked, connection, ticket, kept] {
            auto* waiting = http_conversation::waiting(asked, connection, ticket);
            if (waiting != nullptr) waiting->answer(kept ? done() : not_kept());
        });
    });
}

void api_disconnect_user(http_conversation& c, std::string user) {
    hub::revoke who;
    who.user = std::move(user);
    who.issued_before_ms = std::numeric_limits<std::int64_t>::max();
    who.code = close_code::unauthorized;
    c.own_node().tell_sessions({false, who});
    c.answer(done());
}

void api_subscribe_user(http_conversation& c, std::string user) {
    tell_user<hub::offer_channel>(c, std::move(user));
}

void api_unsubscribe_user(http_conversation& c, std::string user) {
    tell_user<hub::end_subscription>(c, std::move(user));
}

}  // namespace pulsewire::shell
