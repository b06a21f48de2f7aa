// The client's state machine as plain exported functions. Only this file and memory.cpp know of WebAssembly;
// no logic here.
//
// One instance of the module is one client. JavaScript writes strings into the text buffer, one behind the
// other, and passes their sizes; after each call it fetches what the machine wants done with next(), one
// action at a time, and reads the action's fields where they lie. The module imports nothing, so it never
// calls JavaScript and no exception of a handler can pass through it. Times are milliseconds; numbers of more
// than 32 bits come in as doubles. src/core/core.ts is the other side.

#include "client-wasm/bridge/numbers.hpp"
#include "common/client/machine.hpp"

#include <cstdint>
#include <new>
#include <string_view>

// The name is written out by the preprocessor because the attribute takes nothing but a literal.
#define PULSEWIRE_EXPORT(call) extern "C" __attribute__((export_name(PULSEWIRE_LETTER_OF_##call)))

namespace {

using namespace pulsewire;
using namespace pulsewire::client;

char* text = nullptr;
std::uint32_t text_bytes = 0;
machine* the_client;
std::uint32_t next_action = 0;

time_ms at(double now) {
    return static_cast<time_ms>(now);
}
std::string_view from_text(std::uint32_t begin, std::uint32_t size) {
    return {text + begin, size};
}

}  // namespace

// The text buffer, made to hold at least `size` bytes; what stood in it is lost.
PULSEWIRE_EXPORT(text_buffer) char* pulsewire_text_buffer(std::uint32_t size) {
    if (size > text_bytes) {
        ::operator delete(text);
        text = static_cast<char*>(::operator new(size));
        text_bytes = size;
    }
    return text;
}

// Text: the session's name. `transports` is a transport_choice, and 4 more where there are tokens.
PULSEWIRE_EXPORT(create)
void pulsewire_create(
    std::uint32_t session_size, std::uint32_t seed_low, std::uint32_t seed_high, std::uint32_t transports,
    std::uint32_t backoff_min_ms, std::uint32_t backoff_max_ms, std::uint32_t stable_after_ms,
    std::uint32_t attempts_max, std::uint32_t open_timeout_ms, std::uint32_t command_timeout_ms,
    std::uint32_t outbox_messages_max, std::uint32_t outbox_bytes_max
) {
    options o;
    o.transports = static_cast<transport_choice>(transports & 3);
    o.tokens = transports > 3;
    o.backoff.min_ms = backoff_min_ms;
    o.backoff.max_ms = backoff_max_ms;
    o.backoff.stable_after_ms = stable_after_ms;
    o.backoff.attempts_max = attempts_max;
    o.open_timeout_ms = open_timeout_ms;
    o.command_timeout_ms = command_timeout_ms;
    o.outbox_messages_max = outbox_messages_max;
    o.outbox_bytes_max = outbox_bytes_max;
    // Lives as long as the instance.
    const std::uint64_t seed = std::uint64_t{seed_high} << 32 | seed_low;
    the_client = new machine(o, from_text(0, session_size), seed);
}

PULSEWIRE_EXPORT(start) void pulsewire_start(double now) {
    the_client->start(at(now));
}
PULSEWIRE_EXPORT(stop) void pulsewire_stop(double now) {
    the_client->stop(at(now));
}

// Text: channel, epoch.
PULSEWIRE_EXPORT(subscribe)
std::uint32_t pulsewire_subscribe(
    std::uint32_t channel_size, std::uint32_t epoch_size, std::uint32_t payload_of, double offset,
    std::uint32_t latest, bool presence, bool state, double now
) {
    subscribe_options how;
    how.latest = latest;
    how.presence = presence;
    how.state = state;
    how.payload_of = payload_of;
    how.epoch = from_text(channel_size, epoch_size);
    how.offset = static_cast<std::uint64_t>(offset);
    return the_client->subscribe(from_text(0, channel_size), how, at(now));
}

PULSEWIRE_EXPORT(unsubscribe) void pulsewire_unsubscribe(std::uint32_t subscription, double now) {
    the_client->unsubscribe(subscription, at(now));
}

// Text: channel, type, key, conflate, further members.
PULSEWIRE_EXPORT(publish)
std::uint32_t pulsewire_publish(
    std::uint32_t channel_size, std::uint32_t type_size, std::uint32_t key_size, std::uint32_t conflate_size,
    std::uint32_t more_size, std::uint32_t payload_bytes, bool echo, bool transient, std::uint32_t timeout_ms,
    double now
) {
    const std::uint32_t key_at = channel_size + type_size;
    const std::uint32_t conflate_at = key_at + key_size;
    return the_client->publish(
        from_text(0, channel_size), from_text(channel_size, type_size), payload_bytes,
        {echo, transient, timeout_ms, from_text(key_at, key_size), from_text(conflate_at, conflate_size),
         from_text(conflate_at + conflate_size, more_size)},
        at(now)
    );
}

// Text: type, channel, session.
PULSEWIRE_EXPORT(request)
std::uint32_t pulsewire_request(
    std::uint32_t type_size, std::uint32_t channel_size, std::uint32_t to_size, std::uint32_t payload_bytes,
    std::uint32_t timeout_ms, double now
) {
    return the_client->request(
        from_text(0, type_size), payload_bytes, timeout_ms, at(now), from_text(type_size, channel_size),
        from_text(type_size + channel_size, to_size)
    );
}

// Text: channel.
PULSEWIRE_EXPORT(history)
std::uint32_t pulsewire_history(
    std::uint32_t channel_size, std::uint32_t limit, double from, client::history_page page, double now
) {
    return the_client->history(
        from_text(0, channel_size), limit, static_cast<std::uint64_t>(from), page, at(now)
    );
}

PULSEWIRE_EXPORT(cancel) void pulsewire_cancel(std::uint32_t id, double now) {
    the_client->cancel(id, at(now));
}

// Text: the token, where there is one, and the session.
PULSEWIRE_EXPORT(token)
void pulsewire_token(
    std::uint32_t token_size, std::uint32_t session_size, std::uint32_t ask, bool failed, double now
) {
    if (failed) return the_client->token_failed(ask, at(now));
    the_client->become(from_text(token_size, session_size));
    the_client->token(ask, from_text(0, token_size), at(now));
}

PULSEWIRE_EXPORT(transport_opened) void pulsewire_transport_opened(std::uint32_t attempt, double now) {
    the_client->transport_opened(attempt, at(now));
}

PULSEWIRE_EXPORT(transport_closed)
void pulsewire_transport_closed(std::uint32_t attempt, std::uint32_t close, double now) {
    the_client->transport_closed(attempt, static_cast<std::uint16_t>(close), at(now));
}

// Text: the line's header.
PULSEWIRE_EXPORT(line)
void pulsewire_line(std::uint32_t attempt, std::uint32_t header_size, std::uint32_t line_bytes, double now) {
    the_client->line(attempt, from_text(0, header_size), line_bytes, at(now));
}

// Text: the channel, from `channel_at` on; it may be empty (machine::publication()).
PULSEWIRE_EXPORT(publication)
std::int32_t pulsewire_publication(
    std::uint32_t attempt, std::uint32_t channel_at, std::uint32_t channel_size, double offset,
    std::uint32_t line_bytes, double now
) {
    return the_client->publication(
        attempt, from_text(channel_at, channel_size), static_cast<std::uint64_t>(offset), line_bytes, at(now)
    );
}

PULSEWIRE_EXPORT(timer) void pulsewire_timer(double now) {
    the_client->timer(at(now));
}
PULSEWIRE_EXPORT(network_online) void pulsewire_network_online(double now) {
    the_client->network_online(at(now));
}
PULSEWIRE_EXPORT(message_bytes_max) std::uint32_t pulsewire_message_bytes_max() {
    return the_client->message_bytes_max();
}

// The next action, or null when there is none. It holds until the next call of anything.
PULSEWIRE_EXPORT(next) const action* pulsewire_next() {
    const auto& actions = the_client->actions();
    if (next_action < actions.size()) return &actions[next_action++];
    the_client->clear_actions();
    next_action = 0;
    return nullptr;
}

// Where the texts of `send` actions lie: `text_at` counts from here.
PULSEWIRE_EXPORT(texts) const char* pulsewire_texts() {
    return the_client->text_of({}).data();
}
