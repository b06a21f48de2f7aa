#pragma once

// A server without sockets: the real hub of one shard, the real queues of its connections, and a disk that is
// memory. The JavaScript half is its network and its application. Whatever the hub wants from that half
// collects in take_events(); bytes for a connection wait until the network pulls them.

#include "client-wasm/test-server/publish_gate.hpp"
#include "client-wasm/test-server/settings.hpp"
#include "common/delivery/event_stream_writer.hpp"
#include "common/delivery/outbound.hpp"
#include "common/delivery/storage.hpp"
#include "common/exchange/store_image.hpp"
#include "common/hub/hub.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace pulsewire::test_server {

// Connections have numbers that the network chooses, each used once.
using connection_number = std::uint32_t;

// GET /events, of whose query the JavaScript half has taken off the encoding (protocol 8.4).
struct events_request {
    std::string_view channels;  // their names as a JSON array; none: those of the token
    std::string_view cursor;    // empty: from now on
    std::string_view latest;    // empty: none
    std::string_view shown;     // what the token proves, as for server::verified(); empty: nothing
    std::uint32_t retry_ms = 0;
};

class server {
public:
    // The same seed and the same calls give the same course.
    server(settings chosen, std::uint64_t seed);
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    // The two clocks, from now on.
    void set_time(hub::instant now) { now_ = now; }

    // --- the network ---

    // `secret` names the connection for POST (protocol 8.2); empty over WebSocket.
    void open(connection_number number, hub::face speaks, std::string_view secret);
    // The same for a plain event stream. Returns the refusal as an error line; empty: it is open.
    std::string_view open_events(connection_number number, const events_request& asked);
    // A message arrived. What cannot be carried out yet waits here.
    void receive(connection_number number, std::string_view lines);
    // Whether nothing of what arrived waits any more: a POST is answered then (protocol 8.2).
    bool has_read_all(connection_number number) const;
    void closed(connection_number number);
    // The bytes that the network takes of what waits for the connection, at most `bytes_max`, as WebSocket
    // frames or events. Valid until the next call of anything.
    std::string_view pull(connection_number number, std::size_t bytes_max);
    // The code with which the server has ended the connection, once all is pulled; none while it is open.
    close_code ended(connection_number number) const;

    // --- the HTTP API ---

    // The answer of the hub as a line (protocol section 4 and 6). Valid until the next call of anything.
    std::string_view publish(std::string_view channel, std::string_view body);
    std::string_view query(std::string_view line);

    // --- the application ---

    // The answer to the request of an event: JSON, or a refusal.
    void answer(connection_number number, std::uint64_t id, given_payload payload);
    void refuse_request(connection_number number, std::uint64_t id, error_code code, std::string_view text);
    // The word about the command of an event; none: it may be carried out.
    void authorized(connection_number number, std::uint64_t id, error_code code, std::string_view text);
    // The word about the publish of an event.
    void decided(std::uint64_t id, publish_gate::word given);
    // What the token of an event proves: {"user": "ann", "allow": {…}, "info": …, "subscribe": […],
    // "token_id": "…", "issued_ms": 0, "expires_ms": 0}; empty: nothing. Returns a fault in it, for people.
    std::string verified(connection_number number, std::uint64_t id, std::string_view principal);
    void revoke(hub::revoke what);
    void disconnect(connection_number number, close_code code, std::string_view reason);

    // --- what befalls it ---

    void tick();
    void drain(std::uint32_t spread_ms);
    // Another server takes new connections; drain() ends what is left (protocol 7.3).
    void hand_over(std::uint32_t spread_ms);
    // The process ends and starts again; the connections are gone. Without its log, all epochs are new.
    void restart(bool keeps_log);
    // The next `times` commands that take the operation are refused; none: again as it would be.
    void refuse_next(operation what, error_code code, std::string_view text, std::uint32_t times);
    // Whether the application is asked about each command; otherwise all are permitted.
    void ask_about_all(bool asks) { asks_ = asks; }

    // One event takes two lines: a letter and numbers, and its text.
    //   w CONNECTION          bytes wait to be pulled, or it has ended
    //   v CONNECTION NUMBER   a token, as a JSON string, to be verified()
    //   a CONNECTION NUMBER   {"operations","channel","session","user","type"}, to be authorized()
    //   p CONNECTION NUMBER   {"channel","type","session","user","payload"}, to be decided()
    //   r CONNECTION ID       {"type","session","user","payload"}, to be answered; bytes as in a frame
    //   d CONNECTION          the sentence for the operator about a command that was not permitted
    // Valid until the next call of anything.
    std::string_view take_events();

    // The connections that are subscribed to the channel, as a JSON array. Valid until the next call.
    std::string_view subscribers(std::string_view channel);

private:
    struct connection {
        explicit connection(delivery::storage& of) : queue(of) {}

        std::optional<delivery::event_stream_writer> events;  // of a plain event stream
        delivery::outbound queue;
        std::string unread;                           // lines that wait for room or for time
        std::set<std::string, std::less<>> channels;  // of its subscriptions
        std::int64_t rests_until_ms = 0;
        close_code ends = close_code::none;  // when all is written
        bool is_blocked = false;
    };
    struct refusal {
        error_code code = error_code::none;
        std::string text;
        std::uint32_t times = 0;
    };

    void start();
    connection* find(connection_number number);
    void read_on(connection_number number);
    void settle();
    void carry_out(const hub::output& out);
    void send(const hub::output::send& s, std::uint64_t to);
    void send_event(
        connection_number number, connection& c, const hub::message_ptr& what, delivery::counts how
    );
    void push_close(connection& c, close_code code, std::string_view reason);
    // ... at the server's own wish: what is queued still leaves.
    void end_with(connection_number number, connection& c, close_code code, std::string_view reason);
    void end(connection_number number, close_code code);
    void cut_if_slow(connection_number number, connection& c);
    void on(const hub::authorize& asked);
    void on(const hub::client_publish& asked);
    void on(const hub::client_request& asked);
    std::optional<refusal> take_refusal(operations wanted);
    std::string_view answer_of_api(const command& c);
    void event(char kind, connection_number number, std::uint64_t id, std::string_view text);

    settings settings_;
    std::uint64_t seed_;
    std::uint64_t life_ = 0;  // counts the starts, and with them the seeds of the hub
    std::uint64_t lost_ = 0;  // counts the logs that were lost
    hub::instant now_;
    hub::store_image disk_;
    delivery::storage storage_;
    std::unique_ptr<hub::hub> hub_;
    hub::output work_;
    publish_gate gate_;
    std::map<connection_number, connection> connections_;
    std::array<refusal, operation_count> refusals_;
    bool asks_ = false;
    bool settling_ = false;
    std::string events_, taken_, text_;
    std::string* api_answer_ = nullptr;  // takes the answer of the call of the API that is carried out
};

}  // namespace pulsewire::test_server
