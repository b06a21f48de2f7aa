#include "client-wasm/test-server/publish_gate.hpp"

#include "common/exchange/message_text.hpp"

#include <utility>

namespace pulsewire::test_server {
namespace {

// The values that the window of seen keys holds in place of an offset.
constexpr std::uint64_t seen_and_passed = 1;
constexpr std::uint64_t seen_and_dropped = 2;

using post = std::optional<hub::shard_message>;

post to_publisher(const hub::publish& p, hub::message_ptr what) {
    return hub::to_session(hub::reply{p.from, std::move(what)});
}

post refused(const hub::publish& p, error_code code, std::string_view text) {
    return to_publisher(p, hub::make_error(p.id, code, text));
}

post dropped(const hub::publish& p) {
    if (p.id == 0) return std::nullopt;
    return to_publisher(p, hub::make_published(p.id, p.channel, {}, 0));
}

// The owner of the channel does not know the key of a transient publish either.
bool is_remembered(const hub::publish& p) {
    return !p.key.empty() && !p.transient;
}

}  // namespace

post publish_gate::judge(const hub::client_publish& asked, std::int64_t now_ms) {
    const hub::publish& p = asked.what;
    if (const auto before = is_remembered(p) ? seen_.find(p.channel, {}, p.key, now_ms) : std::nullopt) {
        if (!before->is(p.content))
            return refused(
                p, error_code::key_reused, "another message was published in this channel with the same key"
            );
        if (before->offset == seen_and_passed) return hub::channel_change(p);
        if (auto answer = dropped(p)) return answer;
    }
    if (asked.declared_only) return refused(p, error_code::forbidden, hub::undeclared_type);
    asked_.emplace(++last_number_, p);
    return std::nullopt;
}

post publish_gate::settle(std::uint64_t number, word given, std::int64_t now_ms) {
    auto found = asked_.extract(number);
    if (found.empty()) return std::nullopt;
    hub::publish& p = found.mapped();
    // What was refused is not remembered, so that the client may try again with the same key.
    if (given.what == verdict::refuse) return refused(p, given.code, given.text);
    if (is_remembered(p)) {
        const std::uint64_t outcome = given.what == verdict::pass ? seen_and_passed : seen_and_dropped;
        seen_.remember(p.channel, {}, p.key, {outcome, p.content}, p.publisher, now_ms);
    }
    if (given.what == verdict::drop) return dropped(p);
    if (!given.type.empty()) p.type = std::move(given.type);
    if (given.payload.binary || !given.payload.text.empty()) {
        p.payload = std::move(given.payload.text);
        p.binary = given.payload.binary;
    }
    return hub::channel_change(std::move(p));
}

}  // namespace pulsewire::test_server
