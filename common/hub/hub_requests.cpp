// Requests: to the application (docs/protocol.md 4.12), and between the clients of a channel (4.18): from the
// asker's shard to the channel's owner, which knows who is there, to the shard of the one that is asked; the
// answer goes back directly.

#include "common/hub/hub.hpp"
#include "common/hub/message_text.hpp"
#include "common/protocol/names.hpp"

#include <algorithm>

namespace pulsewire::hub {
namespace {

// What the one that is asked may answer instead of a payload.
error_code refusal_named(std::string_view name) {
    for (const error_code code :
         {error_code::rejected, error_code::no_handler, error_code::handler_failed,
          error_code::invalid_payload})
        if (name == name_of(code)) return code;
    return error_code::none;
}

}  // namespace

void hub::on_request(session& s, const command& c, instant now) {
    if (!c.channel.empty()) return on_client_request(s, c, now);
    if (!config_.tell_requests)
        return refuse(
            s, c, error_code::no_handler, "no handler for requests of type " + std::string(c.type), now
        );
    const std::uint32_t timeout_ms = take_up(s, c, now);
    if (timeout_ms == 0) return;
    client_request r;
    r.from = ref_to(s);
    r.id = c.id;
    r.session = s.name;
    r.type = c.type;
    r.payload = c.payload;
    r.timeout_ms = timeout_ms;
    post(application, std::move(r), now);
}

// Remembers the request as in flight and returns its deadline in milliseconds; 0: it was refused.
std::uint32_t hub::take_up(session& s, const command& c, instant now) {
    const auto refused = [&](error_code code, std::string_view text) {
        refuse(s, c, code, text, now);
        return 0;
    };
    if (s.requests.size() >= config_.bounds.requests_per_connection_max)
        return refused(error_code::too_many_requests, "too many requests in flight");
    if (std::any_of(s.requests.begin(), s.requests.end(), [&](const auto& r) { return r.id == c.id; }))
        return refused(error_code::invalid_frame, "a request with this id is in flight");
    const std::uint64_t wished = c.timeout_ms != 0 ? c.timeout_ms : config_.bounds.request_timeout_ms;
    const auto timeout_ms = std::max<std::uint32_t>(
        1, static_cast<std::uint32_t>(std::min<std::uint64_t>(wished, config_.bounds.request_timeout_max_ms))
    );
    s.requests.push_back({c.id, timeout_ms, now.monotonic_ms + timeout_ms, std::string(c.channel)});
    return timeout_ms;
}

void hub::on_cancel(session& s, const command& c, instant now) {
    const auto found = std::find_if(s.requests.begin(), s.requests.end(), [&](const request_in_flight& r) {
        return r.id == c.id;
    });
    if (found == s.requests.end()) return;
    const request_in_flight r = std::move(*found);
    s.requests.erase(found);
    withdraw(s, r, now);
}

void hub::on_client_request(session& s, const command& c, instant now) {
    if (!is_session(c.to)) return refuse(s, c, error_code::invalid_frame, "\"to\" is not a session", now);
    if (!options_of(c.channel).client_requests)
        return refuse(s, c, error_code::forbidden, "clients may not ask each other in this namespace", now);
    if (subscribers_.find(s, c.channel) == nullptr)
        return refuse(s, c, error_code::not_subscribed, "not subscribed to this channel", now);
    const std::uint32_t timeout_ms = take_up(s, c, now);
    if (timeout_ms == 0) return;
    ask a;
    a.from = ref_to(s);
    a.id = c.id;
    a.channel = c.channel;
    a.session = s.name;
    a.to = c.to;
    a.type = c.type;
    a.payload = c.payload;
    a.timeout_ms = timeout_ms;
    post(owner_of(c.channel), std::move(a), now);
}

void hub::answer_ask(
    const connection_ref& from, std::uint64_t id, error_code code, std::string_view text, instant now
) {
    post(from.shard, reply{from, make_error(id, code, text), id}, now);
}

void hub::on(ask&& m, instant now) {
    const channel* c = find_channel(m.channel);
    const std::uint64_t where = c == nullptr ? 0 : c->presence.connection_of(m.to);
    if (where == 0)
        return answer_ask(
            m.from, m.id, error_code::not_present, "nobody of that session shows itself in the channel", now
        );
    m.token = token_of(where);
    const shard_index shard = shard_of(where);
    post(shard, asked{std::move(m)}, now);
}

void hub::on(asked&& m, instant now) {
    ask& what = m.what;
    local_channel* here = subscribers_.find(what.channel);
    const auto sub = here == nullptr ? nullptr : subscribers_.with_token(*here, what.token);
    if (sub == nullptr)
        return answer_ask(
            what.from, what.id, error_code::not_present, "the client that is asked has just gone", now
        );
    session& s = *sub->owner;
    if (s.questions.size() >= config_.bounds.requests_per_connection_max)
        return answer_ask(
            what.from, what.id, error_code::overloaded,
            "the client that is asked has as many requests open as it may", now
        );
    const std::uint64_t number = ++s.last_question;
    s.questions.push_back(
        {number, what.from.shard, what.from.value, what.id, now.monotonic_ms + what.timeout_ms}
    );
    send(s, make_request(number, what.channel, what.session, what.type, what.timeout_ms, what.payload), now);
}

void hub::on_respond(session& s, const command& c, instant now) {
    const error_code refused = refusal_named(c.code);
    if (c.payload.empty() && refused == error_code::none)
        return answer_error(
            s, 0, error_code::invalid_frame,
            "\"code\" is rejected, no_handler, handler_failed or invalid_payload", now
        );
    const auto found = std::find_if(s.questions.begin(), s.questions.end(), [&](const question& q) {
        return q.number == c.request;
    });
    if (found == s.questions.end()) return;  // too late, or withdrawn
    const question q = *found;
    s.questions.erase(found);
    auto answer = c.payload.empty() ? make_error(q.id, refused, c.message) : make_response(q.id, c.payload);
    post(q.shard, reply{{q.shard, q.connection}, std::move(answer), q.id}, now);
}

// The asker no longer wants the answer, or is gone.
void hub::withdraw(const session& s, const request_in_flight& r, instant now) {
    if (!r.channel.empty()) post(owner_of(r.channel), unask{ref_to(s), r.id, r.channel, false}, now);
}

// By way of the owner, so that it stays behind the question.
void hub::on(unask&& m, instant now) {
    if (!m.passed_on) {
        m.passed_on = true;
        const channel* c = find_channel(m.channel);
        if (c == nullptr) return;
        for (const shard_index shard : c->shards) post(shard, unask(m), now);
        return;
    }
    local_channel* here = subscribers_.find(m.channel);
    if (here == nullptr) return;
    for (const subscriber& sub : here->subscribers) {
        session& s = *sub.what->owner;
        const auto found = std::find_if(s.questions.begin(), s.questions.end(), [&](const question& q) {
            return q.shard == m.from.shard && q.connection == m.from.value && q.id == m.id;
        });
        if (found == s.questions.end()) continue;
        send(s, make_cancel(m.channel, found->number), now);
        s.questions.erase(found);
        return;
    }
}

void hub::forget_requests(session& s, instant now) {
    for (const question& q : std::exchange(s.questions, {}))
        if (q.shard != config_.shard || q.connection != s.connection)
            answer_ask(
                {q.shard, q.connection}, q.id, error_code::disconnected,
                "the client that was asked has gone; the request may or may not have run", now
            );
    for (const request_in_flight& r : std::exchange(s.requests, {})) withdraw(s, r, now);
}

}  // namespace pulsewire::hub
