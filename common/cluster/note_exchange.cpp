#include "common/cluster/note_exchange.hpp"

#include "common/base/overloaded.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/json_unescape.hpp"

#include <utility>

namespace pulsewire::cluster {
namespace {

// The subscription that is asked: the newest of a process, and of two processes that of `preferred`. Null
// when the session shows itself nowhere.
const member_id* asked_of(const shared_channel* c, const std::string& session, process_id preferred) {
    const member_id* asked = nullptr;
    if (c == nullptr) return asked;
    for (auto m = c->members().lower_bound({session, 0, 0});
         m != c->members().end() && m->first.session == session; ++m)
        if (asked == nullptr || asked->process != preferred || m->first.process == preferred)
            asked = &m->first;
    return asked;
}

}  // namespace

note_exchange::note_exchange(
    const hub::config& settings, partition_index partition, const replica& copy, log_readers& readers,
    hub::session_port& sessions, log_output& out, note_port& log
)
    : config_(settings),
      partition_(partition),
      copy_(copy),
      readers_(readers),
      sessions_(sessions),
      out_(out),
      log_(log) {}

hub::connection_ref note_exchange::foreign(std::uint64_t number) const {
    return {config_.shard, hub::foreign_connection | std::uint64_t{partition_} << 48 | number};
}

void note_exchange::reply_to(const own_ask& a, hub::message_ptr what, hub::instant now) {
    sessions_.post(a.from.shard, hub::reply{a.from, std::move(what), a.id}, now);
}

void note_exchange::ask(hub::ask&& a, hub::instant now) {
    own_ask mine{a.from, a.id, 0, now.monotonic_ms + a.timeout_ms};
    const auto fail = [&](error_code code, std::string_view text) {
        reply_to(mine, hub::make_error(a.id, code, text), now);
    };
    if (!copy_.serves()) return fail(error_code::broker_unavailable, no_broker);
    const member_id* const asked = asked_of(copy_.state()->channels().find(a.channel), a.to, copy_.process());
    if (asked == nullptr)
        return fail(error_code::not_present, "nobody of that session shows itself in the channel");
    const std::uint64_t token = asked->token;
    if (asked->process == copy_.process())
        return sessions_.post(
            hub::shard_of(token), hub::to_session(hub::asked{std::move(a), hub::token_of(token)}), now
        );
    mine.asked = asked->process;
    const std::uint64_t number = asks_.add(mine);
    if (number == 0) return fail(error_code::overloaded, "too many requests are under way to other nodes");
    log_.say(mine.asked, ask_note{number, token, std::move(a)}, now);
}

void note_exchange::unask(hub::unask&& u, hub::instant now) {
    if (const auto mine = asks_.take_own_named(u.from, u.id))
        return log_.say(mine->what.asked, unask_note{mine->number}, now);
    readers_.withdraw({u.from, u.id, std::move(u.channel)}, now);
}

void note_exchange::answer(hub::reply&& r, hub::instant now) {
    const std::uint64_t number = r.to.value & ((std::uint64_t{1} << 48) - 1);
    const auto asked = asks_.take_foreign(number);
    if (!asked) return;
    answer_note a;
    a.number = asked->number;
    if (r.what->kind == hub::message_kind::error) {
        a.code = r.what->code;
        append_unescaped(a.text, r.what->text());
    } else {
        a.payload = r.what->payload();
        a.binary = r.what->binary;
    }
    log_.say(asked->asker, a, now);
}

// Doing so twice is harmless.
void note_exchange::on_serving() {
    if (std::exchange(heard_kept_, true)) return;
    for (const shared_notes::kept& k : copy_.state()->notes().all()) {
        auto read = decode_note(k.bytes);
        if (!read) continue;
        if (order* const what = std::get_if<order>(&*read)) out_.orders.push_back(std::move(*what));
    }
}

void note_exchange::on(const process_ended& p, hub::instant now) {
    for (const own_ask& a : asks_.take_own_to(p.process))
        reply_to(
            a,
            hub::make_error(
                a.id, error_code::disconnected,
                "the client that was asked has gone; the request may or may not have run"
            ),
            now
        );
}

void note_exchange::on(const noted& n, hub::instant now) {
    const bool is_own = n.from == copy_.process();
    if (n.to == 0 ? is_own : n.to != copy_.process()) return;
    auto read = decode_note(n.bytes);
    if (!read) return;  // of a newer node
    std::visit(
        overloaded{
            [&](ask_note& a) { carry_out(std::move(a), n.from, now); },
            [&](const unask_note& u) {
                auto asked = asks_.take_foreign_named(n.from, u.number);
                if (asked)
                    readers_.withdraw(
                        {foreign(asked->number), asked->number, std::move(asked->what.channel)}, now
                    );
            },
            [&](const answer_note& a) {
                const auto mine = asks_.take_own(a.number, n.from);
                if (!mine) return;
                reply_to(
                    *mine,
                    a.code == error_code::none ? hub::make_response(mine->id, a.payload, a.binary)
                                               : hub::make_error(mine->id, a.code, a.text),
                    now
                );
            },
            [&](post_note& p) {
                out_.posts.push_back({n.from, std::move(p)});
            },
            [&](const posted_note& p) { out_.posted.push_back(p); },
            [&](order& o) { out_.orders.push_back(std::move(o)); },
        },
        *read
    );
}

void note_exchange::carry_out(ask_note&& a, process_id from, hub::instant now) {
    const std::uint64_t number =
        asks_.add(foreign_ask{from, a.number, a.what.channel, now.monotonic_ms + a.what.timeout_ms});
    if (number == 0)
        return log_.say(
            from,
            answer_note{a.number, error_code::overloaded, "the client's server has too many requests", {}},
            now
        );
    a.what.from = foreign(number);
    a.what.id = number;
    const hub::shard_index to = hub::shard_of(a.token);
    if (to >= config_.shard_count) return;
    sessions_.post(to, hub::to_session(hub::asked{std::move(a.what), hub::token_of(a.token)}), now);
}

}  // namespace pulsewire::cluster
