// The test server as plain exported functions, for src/test/hub.ts. Only this file knows of WebAssembly; no
// logic here.
//
// One instance of the module is one server. JavaScript writes texts into the buffer, one after the other, and
// passes their sizes. A function that returns a text returns where it begins; result_size() tells its length.

#include "client-wasm/test-server/server.hpp"
#include "client-wasm/test-server/settings.hpp"
#include "common/protocol/error_named.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#define PULSEWIRE_EXPORT(call) extern "C" __attribute__((export_name(#call)))

namespace {

using namespace pulsewire;

std::string text;
std::string copy;
std::size_t returned_size = 0;
std::unique_ptr<test_server::server> the_server;

const char* returns(std::string_view what) {
    returned_size = what.size();
    return what.data();
}

const char* returns_copy(std::string what) {
    copy = std::move(what);
    return returns(copy);
}

std::string_view from_text(std::uint32_t begin, std::uint32_t size) {
    return std::string_view(text).substr(begin, size);
}

}  // namespace

PULSEWIRE_EXPORT(text_buffer) char* test_text_buffer(std::uint32_t size) {
    text.resize(size);
    return text.data();
}
PULSEWIRE_EXPORT(result_size) std::uint32_t test_result_size() {
    return static_cast<std::uint32_t>(returned_size);
}

// Text: the settings. The result is a fault in them; empty: the server is made.
PULSEWIRE_EXPORT(create)
const char* test_create(std::uint32_t size, std::uint32_t seed, double monotonic_ms, double wall_ms) {
    auto read = test_server::read_settings(from_text(0, size));
    if (!read) return returns_copy(read.error());
    the_server = std::make_unique<test_server::server>(std::move(*read), seed);
    the_server->set_time({static_cast<std::int64_t>(monotonic_ms), static_cast<std::int64_t>(wall_ms)});
    return returns_copy({});
}

PULSEWIRE_EXPORT(set_time) void test_set_time(double monotonic_ms, double wall_ms) {
    the_server->set_time({static_cast<std::int64_t>(monotonic_ms), static_cast<std::int64_t>(wall_ms)});
}

// Text: the secret of an event stream; empty for a WebSocket.
PULSEWIRE_EXPORT(open) void test_open(std::uint32_t connection, std::uint32_t secret_size) {
    const auto speaks = secret_size == 0 ? hub::face::protocol : hub::face::protocol_stream;
    the_server->open(connection, speaks, from_text(0, secret_size));
}
// Text: the channels as a JSON array, the cursor, the wish for the latest, and what the token proves. The
// result is an error line; empty: the stream is open.
PULSEWIRE_EXPORT(open_events)
const char* test_open_events(
    std::uint32_t connection, std::uint32_t retry_ms, std::uint32_t channels_size, std::uint32_t cursor_size,
    std::uint32_t latest_size, std::uint32_t shown_size
) {
    std::uint32_t begin = 0;
    const auto next = [&begin](std::uint32_t size) {
        return from_text(std::exchange(begin, begin + size), size);
    };
    test_server::events_request asked;
    asked.channels = next(channels_size);
    asked.cursor = next(cursor_size);
    asked.latest = next(latest_size);
    asked.shown = next(shown_size);
    asked.retry_ms = retry_ms;
    return returns(the_server->open_events(connection, asked));
}
// Text: the message.
PULSEWIRE_EXPORT(receive) void test_receive(std::uint32_t connection, std::uint32_t size) {
    the_server->receive(connection, from_text(0, size));
}
PULSEWIRE_EXPORT(has_read_all) bool test_has_read_all(std::uint32_t connection) {
    return the_server->has_read_all(connection);
}
PULSEWIRE_EXPORT(closed) void test_closed(std::uint32_t connection) {
    the_server->closed(connection);
}
PULSEWIRE_EXPORT(pull) const char* test_pull(std::uint32_t connection, std::uint32_t bytes_max) {
    return returns(the_server->pull(connection, bytes_max));
}
PULSEWIRE_EXPORT(ended) std::uint32_t test_ended(std::uint32_t connection) {
    return static_cast<std::uint32_t>(the_server->ended(connection));
}

// Text: the channel and the body.
PULSEWIRE_EXPORT(publish) const char* test_publish(std::uint32_t channel_size, std::uint32_t body_size) {
    return returns(the_server->publish(from_text(0, channel_size), from_text(channel_size, body_size)));
}
// Text: the command's line.
PULSEWIRE_EXPORT(query) const char* test_query(std::uint32_t size) {
    return returns(the_server->query(from_text(0, size)));
}
// Text: the channel.
PULSEWIRE_EXPORT(subscribers) const char* test_subscribers(std::uint32_t size) {
    return returns(the_server->subscribers(from_text(0, size)));
}

// Text: the payload.
PULSEWIRE_EXPORT(answer) void test_answer(std::uint32_t connection, double id, std::uint32_t size) {
    the_server->answer(
        connection, static_cast<std::uint64_t>(id), test_server::given_payload::from(from_text(0, size))
    );
}
// Text: the code's name and the sentence.
PULSEWIRE_EXPORT(refuse_request)
void test_refuse_request(
    std::uint32_t connection, double id, std::uint32_t code_size, std::uint32_t sentence_size
) {
    the_server->refuse_request(
        connection, static_cast<std::uint64_t>(id), error_named(from_text(0, code_size)),
        from_text(code_size, sentence_size)
    );
}
// Text: the code's name, empty where it is allowed, and the sentence.
PULSEWIRE_EXPORT(authorized)
void test_authorized(
    std::uint32_t connection, double number, std::uint32_t code_size, std::uint32_t sentence_size
) {
    the_server->authorized(
        connection, static_cast<std::uint64_t>(number), error_named(from_text(0, code_size)),
        from_text(code_size, sentence_size)
    );
}
// Text: the type and the payload in place of the client's; empty: as they are.
PULSEWIRE_EXPORT(passes)
void test_passes(double number, std::uint32_t type_size, std::uint32_t payload_size) {
    test_server::publish_gate::word given;
    given.type = from_text(0, type_size);
    given.payload = test_server::given_payload::from(from_text(type_size, payload_size));
    the_server->decided(static_cast<std::uint64_t>(number), std::move(given));
}
PULSEWIRE_EXPORT(drops) void test_drops(double number) {
    test_server::publish_gate::word given;
    given.what = test_server::publish_gate::verdict::drop;
    the_server->decided(static_cast<std::uint64_t>(number), std::move(given));
}
// Text: the code's name and the sentence.
PULSEWIRE_EXPORT(refuse_publish)
void test_refuse_publish(double number, std::uint32_t code_size, std::uint32_t sentence_size) {
    test_server::publish_gate::word given;
    given.what = test_server::publish_gate::verdict::refuse;
    given.code = error_named(from_text(0, code_size));
    given.text = from_text(code_size, sentence_size);
    the_server->decided(static_cast<std::uint64_t>(number), std::move(given));
}
// Text: what the token proves; empty: nothing. The result is a fault in it.
PULSEWIRE_EXPORT(verified)
const char* test_verified(std::uint32_t connection, double number, std::uint32_t size) {
    return returns_copy(
        the_server->verified(connection, static_cast<std::uint64_t>(number), from_text(0, size))
    );
}
// Text: the user's name on the wire.
PULSEWIRE_EXPORT(revoke) void test_revoke(double issued_before_ms, std::uint32_t user_size) {
    hub::revoke what;
    what.user = from_text(0, user_size);
    what.issued_before_ms = static_cast<std::int64_t>(issued_before_ms);
    the_server->revoke(std::move(what));
}
// Text: the reason.
PULSEWIRE_EXPORT(disconnect)
void test_disconnect(std::uint32_t connection, std::uint32_t code, std::uint32_t reason_size) {
    the_server->disconnect(connection, static_cast<close_code>(code), from_text(0, reason_size));
}

PULSEWIRE_EXPORT(tick) void test_tick() {
    the_server->tick();
}
PULSEWIRE_EXPORT(drain) void test_drain(std::uint32_t spread_ms) {
    the_server->drain(spread_ms);
}
PULSEWIRE_EXPORT(hand_over) void test_hand_over(std::uint32_t spread_ms) {
    the_server->hand_over(spread_ms);
}
PULSEWIRE_EXPORT(restart) void test_restart(bool keeps_log) {
    the_server->restart(keeps_log);
}
// Text: the operation's name, the code's name and the sentence. False: there is no such operation or code.
PULSEWIRE_EXPORT(refuse_next)
bool test_refuse_next(
    std::uint32_t times, std::uint32_t operation_size, std::uint32_t code_size, std::uint32_t sentence_size
) {
    const auto what = operation_named(from_text(0, operation_size));
    const error_code code = error_named(from_text(operation_size, code_size));
    if (!what || code == error_code::none) return false;
    the_server->refuse_next(*what, code, from_text(operation_size + code_size, sentence_size), times);
    return true;
}
PULSEWIRE_EXPORT(ask_about_all) void test_ask_about_all(bool asks) {
    the_server->ask_about_all(asks);
}
PULSEWIRE_EXPORT(take_events) const char* test_take_events() {
    return returns(the_server->take_events());
}
