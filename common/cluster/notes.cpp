#include "common/cluster/notes.hpp"

#include "common/base/overloaded.hpp"
#include "common/cluster/bytes.hpp"
#include "common/cluster/record.hpp"
#include "common/protocol/error_named.hpp"

#include <utility>

namespace pulsewire::cluster {
namespace {

enum class note_kind : std::uint8_t { ask = 1, unask, answer, revoke, offer, end, post, posted };

note_kind kind_of_note(const note& n) {
    return std::visit(
        overloaded{
            [](const ask_note&) { return note_kind::ask; },
            [](const unask_note&) { return note_kind::unask; },
            [](const answer_note&) { return note_kind::answer; },
            [](const post_note&) { return note_kind::post; },
            [](const posted_note&) { return note_kind::posted; },
            [](const order& o) {
                if (std::holds_alternative<hub::revoke>(o.what)) return note_kind::revoke;
                return std::holds_alternative<hub::offer_channel>(o.what) ? note_kind::offer : note_kind::end;
            },
        },
        n
    );
}

// `internal` for one that only a newer node knows.
error_code read_code(byte_reader& r) {
    const std::string_view name = r.text(record_bytes_max);
    const error_code code = error_named(name);
    return code == error_code::none && !name.empty() ? error_code::internal : code;
}

std::string read_text(byte_reader& r) {
    return std::string(r.text(record_bytes_max));
}

// Channels and users that were named by another node are as it checked them, and within their bounds.
std::string read_name(byte_reader& r) {
    return std::string(r.text(channel_name_bytes_max));
}

void write(byte_writer& w, const ask_note& n) {
    w.u64(n.number);
    w.u64(n.token);
    w.u32(n.what.timeout_ms);
    w.u64(n.what.source);
    w.u8(n.what.binary ? 1 : 0);
    for (const std::string* t :
         {&n.what.channel, &n.what.session, &n.what.user, &n.what.to, &n.what.type, &n.what.payload})
        w.text(*t);
}

ask_note read_ask(byte_reader& r) {
    ask_note n;
    n.number = r.u64();
    n.token = r.u64();
    n.what.timeout_ms = r.u32();
    n.what.source = r.u64();
    n.what.binary = r.u8() != 0;
    for (std::string* t :
         {&n.what.channel, &n.what.session, &n.what.user, &n.what.to, &n.what.type, &n.what.payload})
        *t = read_text(r);
    return n;
}

void write(byte_writer& w, const hub::revoke& v) {
    w.text(v.user);
    w.text(v.token_id);
    w.i64(v.issued_before_ms);
    w.u32(v.within_ms);
    w.u16(static_cast<std::uint16_t>(v.code));
}

hub::revoke read_revoke(byte_reader& r) {
    hub::revoke v;
    v.user = read_text(r);
    v.token_id = read_text(r);
    v.issued_before_ms = r.i64();
    v.within_ms = r.u32();
    v.code = static_cast<close_code>(r.u16());
    return v;
}

}  // namespace

std::string encode(const note& n) {
    std::string bytes;
    byte_writer w(bytes);
    w.u8(static_cast<std::uint8_t>(kind_of_note(n)));
    std::visit(
        overloaded{
            [&](const ask_note& a) { write(w, a); },
            [&](const unask_note& u) { w.u64(u.number); },
            [&](const answer_note& a) {
                w.u64(a.number);
                // By name: nodes of two versions need not number them alike.
                w.text(name_of(a.code));
                w.text(a.text);
                w.text(a.payload);
                w.u8(a.binary ? 1 : 0);
            },
            [&](const post_note& p) {
                w.u64(p.number);
                w.text(p.stream);
                w.text(p.lines);
            },
            [&](const posted_note& p) {
                w.u64(p.number);
                w.u8(p.outcome);
            },
            [&](const order& o) {
                w.u8(o.ends_tokens ? 1 : 0);
                std::visit(
                    overloaded{
                        [&](const hub::revoke& v) { write(w, v); },
                        [&](const auto& named) {
                            w.text(named.channel);
                            w.text(named.user);
                        },
                    },
                    o.what
                );
            },
        },
        n
    );
    return bytes;
}

std::optional<note> decode_note(std::string_view bytes) {
    byte_reader r(bytes);
    std::optional<note> found;
    const auto of_user = [&r](auto named) {
        order o;
        o.ends_tokens = r.u8() != 0;
        named.channel = read_name(r);
        named.user = read_text(r);
        o.what = std::move(named);
        return o;
    };
    switch (static_cast<note_kind>(r.u8())) {
        case note_kind::ask:
            found = read_ask(r);
            break;
        case note_kind::unask:
            found = unask_note{r.u64()};
            break;
        case note_kind::answer: {
            answer_note a;
            a.number = r.u64();
            a.code = read_code(r);
            a.text = read_text(r);
            a.payload = read_text(r);
            a.binary = r.u8() != 0;
            found = std::move(a);
            break;
        }
        case note_kind::post: {
            post_note p;
            p.number = r.u64();
            p.stream = read_text(r);
            p.lines = read_text(r);
            found = std::move(p);
            break;
        }
        case note_kind::posted: {
            const std::uint64_t number = r.u64();
            found = posted_note{number, r.u8()};
            break;
        }
        case note_kind::revoke: {
            order o;
            o.ends_tokens = r.u8() != 0;
            o.what = read_revoke(r);
            found = std::move(o);
            break;
        }
        case note_kind::offer:
            found = of_user(hub::offer_channel{});
            break;
        case note_kind::end:
            found = of_user(hub::end_subscription{});
            break;
    }
    if (!r.ok() || !r.at_end()) return std::nullopt;
    return found;
}

}  // namespace pulsewire::cluster
