// Signing a page in by a cookie: a ticket is made for a user, and the page exchanges it (protocol 11.8).

#include "common/access/principal.hpp"
#include "common/protocol/names.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/http/authorization.hpp"
#include "server/http/token.hpp"
#include "server/random.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace pulsewire::shell {
namespace {

using json = nlohmann::json;
using identity::tickets;

constexpr std::uint64_t lifetime_s = 3'600;
// Browsers keep cookies of 4,096 bytes, with name and attributes.
constexpr std::size_t cookie_token_bytes_max = 3'900;
// Guessing a ticket costs as much as guessing an API key.
constexpr std::uint32_t wrong_ticket_costs = 100;

response wrong(const std::string& sentence) {
    return error_response(400, error_code::invalid_frame, sentence);
}

response answer_with(const json& body) {
    response r;
    r.body = body.dump() + "\n";
    r.add("Cache-Control", "no-store");
    return r;
}

struct session_wishes {
    std::string user;
    json own = json::object();  // the claim "pulsewire"
    std::uint64_t expires_in_s = lifetime_s;
};

// {"user": "ann", "allow": {…}, "info": {…}, "expires_in_s": 3600}. An error is a sentence for the caller.
result<session_wishes, std::string> read_wishes(std::string_view body) {
    const json read = json::parse(body, nullptr, false);
    if (!read.is_object()) return failure{std::string("the body is a JSON object")};
    session_wishes wanted;
    for (const auto& [key, value] : read.items()) {
        if (key == "user" && value.is_string()) {
            wanted.user = value.get<std::string>();
        } else if (key == "allow" || key == "info" || key == "subscribe") {
            wanted.own[key] = value;
        } else if (key == "expires_in_s" && value.is_number_unsigned() && value > 0) {
            wanted.expires_in_s = std::min<std::uint64_t>(value.get<std::uint64_t>(), UINT32_MAX);
        } else {
            return failure{
                "\"" + key +
                "\" is not known or has a value that is not allowed; there are user, allow, info, subscribe "
                "and expires_in_s (seconds)"};
        }
    }
    if (!is_user(access::wire_name_of(wanted.user)))
        return failure{std::string("\"user\" is the name of the user, as a token would have it in \"sub\"")};
    return wanted;
}

// The token of the session; an error is the answer.
result<std::string, response> token_by_key(http_conversation& c) {
    auto wanted = read_wishes(c.body());
    if (!wanted) return failure{wrong(wanted.error())};
    const std::int64_t now_ms = shard_port::now().wall_ms;
    constexpr std::int64_t second_ms = 1'000;
    const std::int64_t expires_ms = now_ms + static_cast<std::int64_t>(wanted->expires_in_s) * second_ms;
    auto token = c.own_node().doorkeeper().token_for(wanted->user, wanted->own, expires_ms, now_ms);
    if (!token) return failure{wrong(token.error())};
    return std::move(*token);
}

// The user's own token, which says all there is to say.
result<std::string, response> token_by_user(http_conversation& c) {
    const json read = c.body().empty() ? json::object() : json::parse(c.body(), nullptr, false);
    if (!read.is_object() || !read.empty())
        return failure{wrong("with a token of a user the body is empty: the ticket is for that user")};
    auto token = token_of(c.asked(), false, c.settings().token_in_query);
    if (!token) return failure{token_wanted()};
    return std::move(*token);
}

response refusal_of(tickets::refused why) {
    constexpr std::int64_t wait_ms = 1'000;
    if (why == tickets::refused::too_many_of_user)
        return too_many_requests("too many tickets of this user are open", wait_ms);
    response r = error_response(503, error_code::overloaded, "too many tickets are open; try again later");
    r.add("Retry-After", "1");
    return r;
}

std::string cookie_text(std::string_view value, std::int64_t seconds) {
    return std::string(token_cookie) + "=" + std::string(value) +
           "; Path=/; Max-Age=" + std::to_string(seconds) + "; Secure; HttpOnly; SameSite=Strict";
}

response sets(std::string cookie) {
    response r;
    r.status = 204;
    r.add("Set-Cookie", std::move(cookie));
    r.add("Cache-Control", "no-store");
    return r;
}

}  // namespace

void api_ticket(http_conversation& c, bool by_key) {
    auto token = by_key ? token_by_key(c) : token_by_user(c);
    if (!token) return c.answer(std::move(token).error());
    if (token->size() > cookie_token_bytes_max)
        return c.answer(error_response(
            413, error_code::too_large,
            "the token would have " + std::to_string(token->size()) + " bytes, and a cookie has room for " +
                std::to_string(cookie_token_bytes_max)
        ));
    auto& doorkeeper = c.own_node().doorkeeper();
    const auto who = doorkeeper.verify(*token, shard_port::now().wall_ms).verdict.who;
    if (who == nullptr) return c.answer(token_refused());  // it has ended this moment
    const std::string ticket = random_secret();
    const auto refused =
        doorkeeper.open_tickets().add(ticket, who->user, std::move(*token), shard_port::now().monotonic_ms);
    if (refused) return c.answer(refusal_of(*refused));
    c.answer(answer_with({{"ticket", ticket}, {"expires_in_ms", tickets::lifetime_ms}}));
}

void api_begin_session(http_conversation& c) {
    const json read = json::parse(c.body(), nullptr, false);
    if (!read.is_object() || read.size() != 1 || !read.contains("ticket") || !read["ticket"].is_string())
        return c.answer(wrong(R"(the body is {"ticket":"…"})"));
    auto& doorkeeper = c.own_node().doorkeeper();
    const auto now = shard_port::now();
    const auto token = doorkeeper.open_tickets().take(read["ticket"].get<std::string>(), now.monotonic_ms);
    // Revoked or expired since, it opens nothing.
    const auto who = token ? doorkeeper.verify(*token, now.wall_ms).verdict.who : nullptr;
    if (who == nullptr) {
        (void)c.charge(wrong_ticket_costs - 1);
        c.own_shard().note_token(
            c.client(), token ? "the token of a ticket has ended or was revoked"
                              : "a ticket that was used, is older than 30 seconds, or never was"
        );
        return c.answer(token_refused());
    }
    constexpr std::int64_t second_ms = 1'000;
    c.answer(sets(cookie_text(*token, std::max<std::int64_t>(1, (who->expires_ms - now.wall_ms) / second_ms)))
    );
}

void api_end_session(http_conversation& c) {
    c.answer(sets(cookie_text("", 0)));
}

}  // namespace pulsewire::shell
