#include "common/exchange/shard_message.hpp"

#include "common/base/overloaded.hpp"

namespace pulsewire::hub {
namespace {

std::size_t texts_of(const publish& p) {
    return p.channel.size() + p.type.size() + p.key.size() + p.payload.size() + p.except.size() +
           p.conflate.size() + p.user.size() + p.snapshot.id.size();
}

std::size_t texts_of(const ask& a) {
    return a.channel.size() + a.session.size() + a.user.size() + a.to.size() + a.type.size() +
           a.payload.size();
}

std::size_t text_of(const message_ptr& m) {
    return m ? sizeof *m + m->line.size() : 0;
}

std::size_t texts_of(const channel_change& change) {
    return std::visit(
        overloaded{
            [](const publish& p) { return texts_of(p); },
            [](const join& j) {
                return j.channel.size() + j.session.size() + j.as.info.size() + j.as.user.size() +
                       j.as.user_info.size();
            },
            [](const part& p) { return p.channel.size() + p.session.size(); },
            [](const ask& a) { return texts_of(a); },
            [](const unask& u) { return u.channel.size(); },
        },
        change
    );
}

std::size_t texts_of(const channel_read& read) {
    return std::visit(
        overloaded{
            [](const attach& a) { return a.channel.size(); },
            [](const detach& d) { return d.channel.size(); },
            [](const query& q) { return q.channel.size() + q.after.size(); },
        },
        read
    );
}

// The channel keeps what a replay refers to, so that costs only the references.
std::size_t texts_of(const attached& a) {
    std::size_t all = a.channel.size() + text_of(a.subscribed) + a.replay.size() * sizeof(message_ptr);
    for (const message_ptr& m : a.members) all += text_of(m);
    return all;
}

std::size_t texts_of(const to_session& value) {
    return std::visit(
        overloaded{
            [](const attached& a) { return texts_of(a); },
            [](const attach_refused& r) { return r.channel.size() + text_of(r.error); },
            [](const deliver& d) { return text_of(d.what); },
            [](const reply& r) { return text_of(r.what); },
            [](const asked& a) { return texts_of(a.request); },
            [](const withdrawn& w) { return w.channel.size(); },
            [](const disconnect& d) { return d.reason.size(); },
            [](const revoke& r) { return r.user.size() + r.token_id.size(); },
            [](const authorized& a) { return a.reason.size(); },
            [](const offer_channel& o) { return o.channel.size() + o.user.size(); },
            [](const end_subscription& e) { return e.channel.size() + e.user.size(); },
            [](const snapshot_wanted& w) { return w.channel.size(); },
            [](const standing&) { return std::size_t{0}; },
        },
        value
    );
}

}  // namespace

std::size_t memory_of(const shard_message& m) {
    return sizeof m + std::visit([](const auto& value) { return texts_of(value); }, m);
}

}  // namespace pulsewire::hub
