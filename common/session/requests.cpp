#include "common/session/requests.hpp"

#include "common/session/guard.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace pulsewire::hub {
namespace {

// The error that the asked client may answer with instead of a payload (4.19).
error_code refusal_named(std::string_view name) {
    for (const error_code code :
         {error_code::rejected, error_code::no_handler, error_code::handler_failed,
          error_code::invalid_payload})
        if (name == name_of(code)) return code;
    return error_code::none;
}

constexpr std::string_view too_many_questions =
    "the client that is asked has as many requests open as it may";

bool is_overdue(const request_in_flight& r, std::int64_t ms) {
    return ms >= r.due_ms;
}

}  // namespace

void requests::on_request(session& s, const command& c, instant now) {
    if (!c.channel.empty()) return on_client_request(s, c, now);
    const auto answering = observers_.first(&interests::requests);
    if (!answering)
        return answers_.error(
            s, c.id, error_code::no_handler, "no handler for requests of type " + std::string(c.type), now
        );
    const std::uint32_t timeout_ms = take_up(s, c, now);
    if (timeout_ms == 0) return;
    client_request r;
    // The observer gets copies: it decides later, perhaps on another thread.
    r.from = {config_.shard, s.connection};
    r.id = c.id;
    r.session = s.name;
    r.type = c.type;
    r.payload = c.payload;
    r.timeout_ms = timeout_ms;
    r.user = s.user();
    r.binary = c.binary;
    observers_.tell(*answering, std::move(r));
}

// Remembers the request as in flight and returns its timeout in milliseconds; 0 when it was refused.
std::uint32_t requests::take_up(session& s, const command& c, instant now) {
    const auto refused = [&](error_code code, std::string_view text) {
        answers_.error(s, c.id, code, text, now);
        return 0;
    };
    if (s.requests.size() >= config_.bounds.requests_per_connection_max)
        return refused(error_code::too_many_requests, "too many requests in flight");
    // Two requests with one id would leave the client unable to tell their answers apart.
    if (std::any_of(s.requests.begin(), s.requests.end(), [&](const auto& r) { return r.id == c.id; }))
        return refused(error_code::invalid_frame, "a request with this id is in flight");
    const std::uint64_t wished = c.timeout_ms != 0 ? c.timeout_ms : config_.bounds.request_timeout_ms;
    // At least 1, since 0 means refused here.
    const auto timeout_ms = std::max<std::uint32_t>(
        1, static_cast<std::uint32_t>(std::min<std::uint64_t>(wished, config_.bounds.request_timeout_max_ms))
    );
    s.requests.push_back({c.id, timeout_ms, now.monotonic_ms + timeout_ms, std::string(c.channel)});
    return timeout_ms;
}

void requests::on_cancel(session& s, const command& c, instant now) {
    const auto found = std::find_if(s.requests.begin(), s.requests.end(), [&](const request_in_flight& r) {
        return r.id == c.id;
    });
    if (found == s.requests.end()) return;
    const request_in_flight r = std::move(*found);
    s.requests.erase(found);
    withdraw(s, r, now);
}

void requests::on_client_request(session& s, const command& c, instant now) {
    // A client can only ask whom it can see, so it has to be subscribed itself (4.18).
    if (subscriptions_.find(s, c.channel) == nullptr)
        return answers_.error(s, c.id, error_code::not_subscribed, "not subscribed to this channel", now);
    const std::uint32_t timeout_ms = take_up(s, c, now);
    if (timeout_ms == 0) return;
    ask a;
    a.from = {config_.shard, s.connection};
    a.id = c.id;
    a.channel = c.channel;
    a.session = s.name;
    a.user = s.user();
    a.to = c.to;
    a.type = c.type;
    a.payload = c.payload;
    a.timeout_ms = timeout_ms;
    a.source = s.source;
    a.binary = c.binary;
    channels_.change(std::move(a), now);
}

void requests::answer_ask(
    const connection_ref& from, std::uint64_t id, error_code code, std::string_view text, instant now
) {
    sessions_.post(from.shard, reply{from, make_error(id, code, text), id}, now);
}

// The asker with the most questions makes room, or one could make a client unaskable for all others. False
// when that is the new asker itself. All connections of one address are one asker, unless many share the
// address.
bool requests::make_room(session& asked_one, const ask& newest, instant now) {
    using asker = std::tuple<std::uint64_t, shard_index, std::uint64_t>;
    const auto asker_of = [](std::uint64_t source, shard_index shard, std::uint64_t connection) {
        return source != 0 ? asker{source, 0, 0} : asker{0, shard, connection};
    };
    std::map<asker, std::size_t> open_of;
    std::vector<question>& open = asked_one.questions;
    for (const question& q : open) ++open_of[asker_of(q.source, q.shard, q.connection)];
    const auto count_of = [&](const question& q) {
        return open_of[asker_of(q.source, q.shard, q.connection)];
    };
    // The first of the largest count, which is its asker's oldest.
    const auto victim = std::max_element(open.begin(), open.end(), [&](const question& a, const question& b) {
        return count_of(a) < count_of(b);
    });
    const std::size_t own = open_of[asker_of(newest.source, newest.from.shard, newest.from.value)];
    if (victim == open.end() || count_of(*victim) <= own) return false;
    const question q = *victim;
    open.erase(victim);
    answers_.send(asked_one, make_cancel(q.channel, q.number), now);
    answer_ask({q.shard, q.connection}, q.id, error_code::overloaded, too_many_questions, now);
    return true;
}

void requests::on(asked&& m, instant now) {
    ask& what = m.request;
    local_channel* here = subscriptions_.find(what.channel);
    const auto sub = here == nullptr ? nullptr : subscriber_table::with_token(*here, m.token);
    if (sub == nullptr)
        return answer_ask(
            what.from, what.id, error_code::not_present, "the client that is asked has just gone", now
        );
    // The join of this subscription has reached the owner, but the answer to its attach is still on the way.
    // Without its `subscribed` the client does not know the channel.
    if (!subscriber_table::entry_of(*sub).live)
        return answer_ask(
            what.from, what.id, error_code::not_present, "the client that is asked has only just come", now
        );
    session& s = *sub->owner;
    if (!permitted(s, what.channel, config_.options_of(what.channel)).has(operation::respond))
        return answer_ask(
            what.from, what.id, error_code::not_present, "the client that is asked may not answer here", now
        );
    // Questions are held until their deadline, so they are bounded like the requests
    // that a connection makes itself.
    if (s.questions.size() >= config_.bounds.requests_per_connection_max && !make_room(s, what, now))
        return answer_ask(what.from, what.id, error_code::overloaded, too_many_questions, now);
    // The asked connection gets a number of its own, because two askers may use the same id.
    const std::uint64_t number = ++s.last_question;
    s.questions.push_back(
        {number, what.from.shard, what.from.value, what.id, now.monotonic_ms + what.timeout_ms, what.channel,
         what.source}
    );
    answers_.send(s, make_request(number, what), now);
}

void requests::on_respond(session& s, const command& c, instant now) {
    const error_code refused = refusal_named(c.code);
    // The error has no id, because `request` is a number of the server and no id of this client (4.19).
    if (!c.has_payload() && refused == error_code::none)
        return answers_.error(
            s, 0, error_code::invalid_frame,
            "\"code\" is rejected, no_handler, handler_failed or invalid_payload", now
        );
    const auto found = std::find_if(s.questions.begin(), s.questions.end(), [&](const question& q) {
        return q.number == c.request;
    });
    if (found == s.questions.end()) return;  // too late, already answered, or withdrawn
    const question q = *found;
    s.questions.erase(found);
    if (!permitted(s, q.channel, config_.options_of(q.channel)).has(operation::respond)) {
        answer_ask(
            {q.shard, q.connection}, q.id, error_code::not_present,
            "the client that is asked may not answer any more", now
        );
        return answers_.error(s, 0, error_code::forbidden, "the permission has ended", now);
    }
    // The answer needs no way through the owner: nothing has to stay in order with it.
    auto answer =
        c.has_payload() ? make_response(q.id, c.payload, c.binary) : make_error(q.id, refused, c.message);
    sessions_.post(q.shard, reply{{q.shard, q.connection}, std::move(answer), q.id}, now);
}

// The asker no longer wants the answer, or is gone. The withdrawal goes through the owner, as the request
// did, so that it cannot overtake the request.
void requests::withdraw(const session& s, const request_in_flight& r, instant now) {
    if (!r.channel.empty()) channels_.change(unask{{config_.shard, s.connection}, r.id, r.channel}, now);
}

void requests::on(withdrawn&& m, instant now) {
    local_channel* here = subscriptions_.find(m.channel);
    if (here == nullptr) return;
    // Withdrawals are rare, so no index is kept for them.
    for (const subscriber& sub : here->subscribers) {
        session& s = *sub.what->owner;
        const auto found = std::find_if(s.questions.begin(), s.questions.end(), [&](const question& q) {
            return q.shard == m.from.shard && q.connection == m.from.value && q.id == m.id;
        });
        if (found == s.questions.end()) continue;
        answers_.send(s, make_cancel(m.channel, found->number), now);
        s.questions.erase(found);
        return;
    }
}

void requests::recheck(session& s, instant now) {
    std::vector<request_in_flight> lost;
    std::erase_if(s.requests, [&](const request_in_flight& r) {
        if (r.channel.empty() ||
            permitted(s, r.channel, config_.options_of(r.channel)).has(operation::request))
            return false;
        lost.push_back(r);
        return true;
    });
    for (const request_in_flight& r : lost) {
        answers_.error(s, r.id, error_code::forbidden, "the permission has ended", now);
        withdraw(s, r, now);
    }
}

bool requests::take(session& s, std::uint64_t id) {
    return std::erase_if(s.requests, [&](const request_in_flight& r) { return r.id == id; }) != 0;
}

bool requests::sweep(session& s, std::int64_t ms) {
    // The asker's own deadline answers it, so nothing is sent here.
    std::erase_if(s.questions, [&](const question& q) { return ms >= q.due_ms; });
    const auto overdue = [&](const request_in_flight& r) { return is_overdue(r, ms); };
    return std::any_of(s.requests.begin(), s.requests.end(), overdue);
}

void requests::expire(session& s, instant now) {
    for (const request_in_flight& r : s.requests)
        if (is_overdue(r, now.monotonic_ms))
            answers_.error(
                s, r.id, error_code::timeout, "no answer within " + std::to_string(r.timeout_ms) + " ms", now
            );
    std::erase_if(s.requests, [&](const request_in_flight& r) { return is_overdue(r, now.monotonic_ms); });
}

void requests::forget(session& s, instant now) {
    // Both lists are emptied first, because a withdrawal may come back into this session at once. A question
    // that the session asked itself needs no answer any more.
    for (const question& q : std::exchange(s.questions, {}))
        if (q.shard != config_.shard || q.connection != s.connection)
            answer_ask(
                {q.shard, q.connection}, q.id, error_code::disconnected,
                "the client that was asked has gone; the request may or may not have run", now
            );
    for (const request_in_flight& r : std::exchange(s.requests, {})) withdraw(s, r, now);
}

}  // namespace pulsewire::hub
