#include "common/session/guard.hpp"

#include "common/protocol/names.hpp"
#include "common/schema/types.hpp"
#include "common/session/observers.hpp"

namespace pulsewire::hub {
namespace {

using verdict = std::optional<refusal>;

constexpr std::string_view not_keyed = "\"if_offset\" needs a namespace that is \"keyed\"";
constexpr std::string_view no_state = "this namespace keeps no state: its state_bytes_max is 0";

verdict refused(error_code code, std::string text) {
    return refusal{code, std::move(text), {}};
}

// The same text whether the channel exists or not, and before anything of it is looked at.
verdict lacks(operations given, operations wanted) {
    if ((given & wanted) == wanted) return std::nullopt;
    for (std::size_t i = 0; i < operation_count; ++i) {
        const auto one = static_cast<operation>(i);
        if (!wanted.has(one) || given.has(one)) continue;
        return refused(
            error_code::forbidden,
            "this needs the permission \"" + std::string(name_of(one)) + "\" on the channel"
        );
    }
    return std::nullopt;
}

verdict may_subscribe(const session& s, const command& c, const config& settings) {
    const namespace_options& options = settings.options_of(c.channel);
    if (auto why = lacks(permitted(s, c.channel, options), needed(c))) return why;
    if (c.payload.size() > settings.bounds.presence_info_bytes_max)
        return refused(error_code::too_large, "the presence info is too large");
    if ((c.presence || !c.payload.empty()) && !options.presence)
        return refused(error_code::forbidden, "this namespace keeps no presence");
    if (c.state && options.state_bytes_max == 0) return refused(error_code::forbidden, std::string(no_state));
    return std::nullopt;
}

verdict must_fit(const command& c, const namespace_options& options) {
    if (options.types == nullptr) return std::nullopt;
    const auto wrong = options.types->check(c.type, c.payload, c.binary);
    if (!wrong) return std::nullopt;
    return refusal{error_code::invalid_payload, wrong->message(), wrong->pointer};
}

// The HTTP API may publish where clients may not, but nobody what does not fit its schema. (The application
// does not pass here: it posts to the owner.)
verdict may_publish(const session& s, const command& c, const config& settings) {
    const namespace_options& options = settings.options_of(c.channel);
    if (auto why = lacks(permitted(s, c.channel, options), needed(c))) return why;
    if (c.snapshot && options.state_bytes_max == 0)
        return refused(error_code::forbidden, std::string(no_state));
    if (c.snapshot && options.keyed)
        return refused(error_code::forbidden, "the server makes the snapshots of this namespace itself");
    if (c.has_if_offset && !options.keyed) return refused(error_code::forbidden, std::string(not_keyed));
    if ((c.snapshot || c.has_if_offset) && c.transient)
        return refused(
            error_code::invalid_frame,
            "a snapshot, and what asks for \"if_offset\", is kept: it is not transient"
        );
    if (!is_client(s.speaks)) return must_fit(c, options);
    if (!options.client_publish)
        return refused(error_code::forbidden, "clients may not publish in this namespace");
    // Where an observer decides, it knows which types are declared.
    if (is_undeclared(c, options) && !first_with(settings.observers, &interests::publishes))
        return refused(error_code::forbidden, std::string(undeclared_type));
    return must_fit(c, options);
}

// A request without a channel goes to an observer, which decides about it.
verdict may_request(const session& s, const command& c, const config& settings) {
    if (c.channel.empty()) return std::nullopt;
    const namespace_options& options = settings.options_of(c.channel);
    if (auto why = lacks(permitted(s, c.channel, options), needed(c))) return why;
    if (!is_session(c.to)) return refused(error_code::invalid_frame, "\"to\" is not a session");
    if (!options.client_requests)
        return refused(error_code::forbidden, "clients may not ask each other in this namespace");
    return std::nullopt;
}

verdict may_query(const session& s, const command& c, const config& settings) {
    // The answer of a query is found by its id alone, so a query without one could never be matched (3.4).
    if (c.id == 0) return refused(error_code::invalid_frame, "\"id\" is missing");
    const namespace_options& options = settings.options_of(c.channel);
    if (auto why = lacks(permitted(s, c.channel, options), needed(c))) return why;
    if (c.limit > settings.bounds.recovery_max)
        return refused(
            error_code::invalid_frame, "\"limit\" is at most " + std::to_string(settings.bounds.recovery_max)
        );
    if (c.has_time && c.has_offset)
        return refused(error_code::invalid_frame, "give \"offset\" or \"time\", not both");
    if (c.op == command_op::presence && !options.presence)
        return refused(error_code::forbidden, "this namespace keeps no presence");
    return std::nullopt;
}

}  // namespace

bool is_client(face f) {
    return f != face::api;
}

operations permitted(const session& s, std::string_view channel, const namespace_options& options) {
    // The bearer of an API key, and everybody where the API has none.
    if (!is_client(s.speaks) && s.who() == nullptr) return operations::all();
    return access::permitted(s.who(), channel, options.allow);
}

operations needed(const command& c) {
    operations all;
    switch (c.op) {
        case command_op::subscribe:
            all |= operation::subscribe;
            if (c.latest != 0 || c.state) all |= operation::history;
            if (c.presence) all |= operation::presence;
            if (!c.payload.empty()) all |= operation::show;
            return all;
        case command_op::publish:
            all |= operation::publish;
            if (c.snapshot) all |= operation::snapshot;
            return all;
        case command_op::history:
            return operation::history;
        case command_op::presence:
            return operation::presence;
        case command_op::request:
            return operation::request;
        case command_op::connect:
        case command_op::refresh:
        case command_op::unsubscribe:
        case command_op::cancel:
        case command_op::respond:
        case command_op::ping:
        case command_op::pong:
        case command_op::none:
            return all;
    }
    return all;
}

bool is_undeclared(const command& c, const namespace_options& options) {
    return !options.other_types && (options.types == nullptr || !options.types->has(c.type));
}

std::optional<refusal> guard(const session& s, const command& c, const config& settings) {
    // Protocol 4.1: nothing has an effect before `connect`.
    if (!s.welcome && c.op != command_op::connect)
        return refused(error_code::not_connected, "send connect first");
    switch (c.op) {
        case command_op::connect:
            if (s.welcome) return refused(error_code::invalid_frame, "already connected");
            return std::nullopt;
        case command_op::subscribe:
            return may_subscribe(s, c, settings);
        case command_op::publish:
            return may_publish(s, c, settings);
        case command_op::request:
            return may_request(s, c, settings);
        case command_op::history:
        case command_op::presence:
            return may_query(s, c, settings);
        // These concern only what the session itself began, so there is nothing to permit.
        case command_op::refresh:
        case command_op::unsubscribe:
        case command_op::cancel:
        case command_op::respond:
        case command_op::ping:
        case command_op::pong:
        case command_op::none:
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace pulsewire::hub
