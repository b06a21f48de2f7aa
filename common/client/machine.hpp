#pragma once

// The client's state machine (docs/protocol.md sections 4, 5 and 9): connect, subscribe, publish,
// acknowledge, recover, back off, change transport. Sans-I/O: the host (a browser page, a native
// program, a test) passes in events and the time; the resulting actions are appended to actions(),
// which the host carries out in order and clears. Nothing here blocks, reads a clock or calls back.
// One machine belongs to one thread.
//
// Payloads never enter the machine. A message that arrives is described by slices of the line
// that the host holds. A message that leaves is a header, to which the host appends the payload
// that it keeps under the command's id.
//
// The tokens that say who the client's user is (4.21) come from the host, which is asked for one at a time;
// machine_token.cpp keeps them.
//
// The class has many members because each event of the protocol is a step of its own, and any step may
// begin or end what others wait for. What has a life of its own is a class apart: connections, outbox,
// channels, pacing, backoff.

#include "common/base/relocating_vector.hpp"
#include "common/client/answer_clock.hpp"
#include "common/client/channel_table.hpp"
#include "common/client/connections.hpp"
#include "common/client/outbox.hpp"
#include "common/client/pacer.hpp"
#include "common/client/reconnect.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/line_writer.hpp"
#include "common/protocol/server_frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::client {

// The state that the application sees. `connecting` lasts until the server's welcome.
enum class state : std::uint8_t { idle, connecting, open, waiting, closed };

struct options {
    transport_choice transports = transport_choice::automatic;
    backoff_options backoff;
    // A transport that has not brought the server's welcome within this time is closed.
    std::uint32_t open_timeout_ms = 10'000;
    // An open connection that leaves a command (other than a request) unanswered for this time is closed.
    std::uint32_t command_timeout_ms = 10'000;
    // Unacknowledged publishes and unanswered requests that are held; more are refused with outbox_full.
    std::uint32_t outbox_messages_max = 1'000;
    std::uint32_t outbox_bytes_max = 1 << 20;
    // Whether the host has tokens: no connection is opened before it was asked for one.
    bool tokens = false;
};

enum class action_kind : std::uint8_t {
    // Open `via`, to the address in text_of(action) if there is one and it is as safe; report with
    // `attempt`. An older transport may still be open: in a planned restart the new connection is
    // up before the old one is closed.
    open_transport,
    // Close the transport `attempt` with `close`; report nothing more of it.
    close_transport,
    // Send text_of(action) to the transport `attempt` and then, when `payload_of` is not 0,
    // that payload and "}": one line.
    send,
    // Call timer() after `delay_ms`; replaces an earlier timer.
    set_timer,
    // The new state is `to`. connecting: `via`, `attempt`; waiting: `delay_ms`, `attempt`, `close`;
    // open: `via`, `session`, `user`; closed: `close`. Close 0: there was no token. Here `attempt` counts
    // failures in a row. `message` is the server's reason, if it sent one.
    state_changed,
    // A message for subscription `id`: `type`, `offset` (0: none), `time`, `replayed`, `user`, `payload`;
    // `session` is its `conflate` (4.17).
    deliver,
    // Subscription `id` is live, or goes on from another position: `epoch`, `offset`, `outcome`, and `reason`
    // if it is not recovered.
    subscribed,
    // The members of the channel of subscription `id`: `payload` is an array.
    presence,
    // `session` joined the channel of subscription `id` with `payload`; `user`, `user_info`.
    joined,
    // `session` left it.
    left,
    // Publications of subscription `id` up to `offset` will not come, because newer ones replaced them (5.6).
    gap,
    // `session` of `user` sends a request in the channel of subscription `id`: `type`, `payload`. The answer
    // goes to the transport `attempt` under the number `offset` (4.18). Without a `type` the request is
    // withdrawn.
    asked,
    // Subscription `id` was refused with `code` and `message`, or lost its permission, and is gone.
    refused,
    // Publish `id` is kept at `epoch`, `offset` (both empty for a transient one).
    published,
    // The answer to request, history or presence query `id` is `payload`.
    answered,
    // Command `id` failed with `code`, `message`, `pointer`; its payload is no longer needed. `id` 0: an
    // error of the server that answers no command.
    failed,
    // Report a token with `attempt` by token(), or that there is none now by token_failed(). `id` is the
    // token_reason; after the last three the token that was given before is of no use any more. The answer to
    // an earlier need_token is not wanted any more; `attempt` 0 says only that.
    need_token,
    // The server asks this client to subscribe to the channel of the name `type` (4.26).
    offered,
    // `id` 1: the server does not reach its broker, with its `message`; 0: it does again (4.28).
    degraded,
    // A part of the state that subscription `id` begins with: as `deliver`, and it is part `attempt` of
    // `delay_ms`. Only the last has an `offset`: up to there the state covers the channel (4.29).
    snapshot,
    // The server asks for a snapshot of the channel of subscription `id` (4.29).
    snapshot_wanted,
};

// Why a token is needed.
enum class token_reason : std::uint8_t { connect, expiring, expired, revoked, refused };

enum class recovery_outcome : std::uint8_t { fresh, recovered, lost };

// One action for the host. The comment of its kind lists the fields that count. Slices point into the line
// given to line() and are valid only until the next call of line(). The code of `failed` and `refused` is a
// slice when the server sent it, otherwise `local_code`.
struct action : frame_contents {
    action_kind kind;
    transport via = transport::websocket;
    state to = state::idle;
    recovery_outcome outcome = recovery_outcome::fresh;
    bool replayed = false;
    error_code local_code = error_code::none;
    std::uint16_t close = 0;
    std::uint32_t id = 0;
    std::uint32_t payload_of = 0;
    std::uint32_t attempt = 0;
    std::uint32_t delay_ms = 0;
    std::uint32_t text_at = 0, text_size = 0;
};

struct subscribe_options {
    std::uint32_t latest = 0;      // replay up to this many of the newest publications first
    bool presence = false;         // report joins and leaves
    bool state = false;            // begin with the newest snapshot and what came after it (4.29)
    std::uint32_t payload_of = 0;  // the host's name for the info shown to others; 0: not shown
    std::string_view epoch;        // with offset: the position to recover from; empty: start at the head
    std::uint64_t offset = 0;
};

// The kind of history page: forwards after an offset; backwards before an offset (0: from the newest);
// forwards from a time on; backwards before a time. Times are those of the server's clock in milliseconds
// since 1970. machine.cpp relies on the order: bit 0 means backwards, bit 1 means by time.
enum class history_page : std::uint8_t { after, before, since, until };

struct publish_options {
    bool echo = true;
    bool transient = false;
    std::uint32_t timeout_ms = 0;  // 0: as long as it takes
    // A valid key of protocol 4.9 that the host made itself; empty: the machine makes a new one.
    std::string_view key = {};
    // A valid conflation key (4.17); empty: none, the type takes its place.
    std::string_view conflate = {};
    // Further members of the command as they stand in JSON, such as `"if_offset":7`; empty: none.
    std::string_view more = {};
};

class machine {
public:
    // `session` is drawn at random by the host (protocol 4.1), or taken from an earlier life of the same
    // client. `seed` is drawn at random for this life, for the jitter and the keys of publishes. All its 64
    // bits count: two lives with the same one would take each other's publishes for repetitions.
    machine(const options& opts, std::string_view session, std::uint64_t seed);

    // --- what the application wants ---

    void start(time_ms now);
    // Ends everything for good: unanswered commands fail with `closed`.
    void stop(time_ms now);

    // Returns the subscription's id. At most one subscription per channel: the host
    // shares it between its handlers.
    std::uint32_t subscribe(std::string_view channel, const subscribe_options& how, time_ms now);
    void unsubscribe(std::uint32_t subscription, time_ms now);

    // Each returns the command's id under which the host keeps the payload, or 0 when the outbox is full.
    // Names must be valid (protocol 1.2, 1.3). `payload_bytes` counts against the outbox.
    std::uint32_t publish(
        std::string_view channel, std::string_view type, std::uint32_t payload_bytes,
        const publish_options& how, time_ms now
    );
    // Sends a request to the server, or with `channel` to the client in it whose session is `to`.
    std::uint32_t request(
        std::string_view type, std::uint32_t payload_bytes, std::uint32_t timeout_ms, time_ms now,
        std::string_view channel = {}, std::string_view to = {}
    );
    std::uint32_t history(
        std::string_view channel, std::uint32_t limit, std::uint64_t from, history_page page, time_ms now
    );
    std::uint32_t presence(std::string_view channel, time_ms now);
    // The application no longer wants the answer to `id`. A publish that was not sent yet is withdrawn.
    void cancel(std::uint32_t id, time_ms now);

    // --- what happened outside ---

    // The answer to need_token `ask`: a token that needs no escapes, or an empty one to go on as nobody. The
    // answer to an earlier one means nothing.
    void token(std::uint32_t ask, std::string_view token, time_ms now);
    // The session to go on with, if the token shows that the one of the constructor is not that user's. To be
    // told before the first token.
    void become(std::string_view session) { session_ = session; }
    // There was none: the machine asks again after a delay.
    void token_failed(std::uint32_t ask, time_ms now);

    void transport_opened(std::uint32_t attempt, time_ms now);
    // The transport ended or could not be opened; `close` is the WebSocket
    // close code, 1006 if there was none.
    void transport_closed(std::uint32_t attempt, std::uint16_t close, time_ms now);
    // One line that arrived: `header` is the line up to and including `"payload":`, or the whole line; the
    // payload, if any, reaches from there to `line_bytes` - 1. Positions count from the line's begin.
    void line(std::uint32_t attempt, std::string_view header, std::uint32_t line_bytes, time_ms now);
    // The same for a publication whose line, of `line_bytes`, the host has read itself (protocol 5.1).
    // Returns 0 when the publication was not taken and the host has to pass its line to line(). Otherwise it
    // is the next publication of the subscription with the returned id, which is negative if the publication
    // is replayed. The host delivers it; there is no action. Without a channel it says no more than that
    // something arrived until `now`, for a host that does not read the clock for each publication.
    std::int32_t publication(
        std::uint32_t attempt, std::string_view channel, std::uint64_t offset, std::uint32_t line_bytes,
        time_ms now
    );
    void timer(time_ms now);
    // The host reports that the network is back: reconnect now, or probe the connection.
    void network_online(time_ms now);

    // --- what to do next ---

    const relocating_vector<action>& actions() const { return actions_; }
    // The text that a `send` action sends, or the address of an
    // `open_transport`; valid until clear_actions().
    std::string_view text_of(const action& a) const {
        return std::string_view(outgoing_).substr(a.text_at, a.text_size);
    }
    // To be called when the host has carried out all actions. It may call the machine before
    // that; new actions are appended.
    void clear_actions() {
        actions_.clear();
        outgoing_.clear();
    }

    state current() const { return state_; }
    transport current_transport() const { return transport_; }
    // The largest message that the server takes, in bytes; 65,536 until a welcome sets it.
    std::uint32_t message_bytes_max() const { return message_bytes_max_; }

private:
    action& act(action_kind kind, std::uint32_t id = 0);
    // Copies all members of the frame; the comment of the kind lists those that count.
    action& act(action_kind kind, std::uint32_t id, const server_frame& f);
    action& change_state(state to);
    void arm(time_ms at, time_ms now);
    void rearm(time_ms now);

    void connect(time_ms now);
    // Asks for a token first where it has none that can be used.
    void open_transport(time_ms now);
    void open_now(time_ms now);
    void close_transport(std::uint32_t attempt, close_code close);
    void drop_transport(std::uint32_t attempt, close_code why, time_ms now);
    void lost(std::uint16_t close, time_ms now, const server_frame* why = nullptr);
    void come_back_later(std::uint16_t close, time_ms now, const server_frame* why);

    void ask_token();
    void withdraw_question();
    void ask_token_later(time_ms now);
    void show_new_token(time_ms now);
    void token_counts(const server_frame& f, time_ms now);
    void on_refresh_wanted(const server_frame& f, std::string_view header, time_ms now);
    bool refresh_failed(const server_frame& f, time_ms now);
    // The connection ended with this code. Returns whether a new token lets the client come back.
    bool token_lost(std::uint16_t close);
    void close_all();
    void close_retiring();
    void fail_left_behind();
    void close_retiring_unless_awaited();
    void unbind(bool may_be_answered = false);
    action& end(std::uint16_t close);

    bool can_send() const { return connections_.take_commands(); }
    // begin_send() starts a line in outgoing_; end_send() makes an action of what was written since.
    basic_line_writer<text_buffer> begin_send(std::string_view op);
    void end_send(std::uint32_t payload_of = 0);
    void send_waiting(time_ms now);
    void send_op(std::string_view op);
    void send_unsubscribe(const subscription& s);
    void send_subscribe(subscription& s, time_ms now);
    void send_command(command& c, time_ms now);
    // The connection was lost because of this command; the last one of several such losses is its failure.
    void blame(command& c, error_code code);
    void blame_overdue(time_ms now);
    void blame_largest();
    // Null when the outbox is full.
    bool pay(std::uint32_t commands, time_ms now);
    static std::uint32_t price_of(const command& c);
    command* new_command(std::uint32_t payload_bytes, std::uint32_t timeout_ms, time_ms now);
    std::uint32_t dispatch(command& c, time_ms now);
    void finish(command& c);
    // Leaves the command in its place until the outbox is swept.
    void fail(command& c, error_code code);
    void expire_commands(time_ms now);
    // What the serving connection is to bring; `never` where that is nothing.
    struct awaited {
        time_ms answer_until = never;  // the deadline of the answers
        time_ms large_since = never;   // when something was asked for that a host sees only as a whole
    };
    awaited awaits() const;
    // The deadline after which the serving transport has left us waiting for too long.
    time_ms serving_deadline(const awaited& a) const {
        return std::min(a.answer_until, connections_.silence_deadline(a.large_since));
    }
    // Of the answer to it, in bytes, where a host sees that only as a whole; 0: little.
    std::size_t answer_bytes_max(const command& c) const;
    // From then on the server's ping must be waiting behind something else.
    time_ms life_due() const;
    // Something arrived after that.
    void show_life_when_due(time_ms now);
    void show_life(time_ms now);

    // Moves the position to the next publication of the channel. Returns whether that one is replayed.
    static bool advance(subscription& s);
    void on_message(const server_frame& f, std::string_view header, time_ms now);
    void on_snapshot(subscription& s, const server_frame& f);
    void on_welcome(const server_frame& f, std::string_view header, time_ms now);
    void on_subscribed(const server_frame& f, std::string_view header);
    void on_presence(const server_frame& f, std::string_view header);
    void on_asked(const server_frame& f, std::string_view header, std::uint32_t attempt);
    void on_unsubscribed(const server_frame& f, std::string_view header);
    void on_position(const server_frame& f, std::string_view header, time_ms now);
    void on_standing(bool degraded, const server_frame& f);
    void on_gap(const server_frame& f, std::string_view header, time_ms now);
    void resynchronise(subscription& s, time_ms now);
    void on_answer(const server_frame& f, action_kind kind);
    void on_late_answer(const server_frame& f);
    void on_error(const server_frame& f, std::string_view header, time_ms now);
    void on_farewell(const server_frame& f, std::string_view header, time_ms now);
    subscription* asked_with(std::uint64_t command_id);

    // The members used most come first: small offsets make small code.
    state state_ = state::idle;
    transport transport_ = transport::websocket;
    outbox outbox_;
    channel_table channels_;
    text_buffer outgoing_;          // the texts of the send actions
    std::uint32_t line_begin_ = 0;  // the place where the line being written starts
    relocating_vector<action> actions_;
    connections connections_;
    answer_clock clock_;  // of the serving connection
    pacer pacer_;
    time_ms paced_until_ = never;     // commands wait for pacer_ until then
    std::uint32_t ping_ms_ = 25'000;  // until a welcome sets it
    std::uint32_t last_id_ = 0;
    time_ms timer_at_ = never;
    time_ms state_since_ = 0;
    time_ms retry_at_ = 0;
    std::uint32_t message_bytes_max_ = 65'536;
    std::uint32_t ask_ = 0;  // the number of the open need_token; 0: none
    std::uint32_t last_ask_ = 0;
    std::uint32_t refresh_id_ = 0;  // of the unanswered refresh
    time_ms token_shown_at_ = 0;    // to the server, in connect or refresh
    time_ms token_until_ = 0;       // a connection opened after that needs a new token
    time_ms refresh_at_ = never;    // when to ask for the next token
    bool opening_awaits_token_ = false;
    bool degraded_ = false;      // by the server's word
    bool is_nobody_ = false;     // the host said so
    bool token_is_new_ = false;  // no connection has tried it
    token_reason token_reason_ = token_reason::connect;
    text_buffer token_;
    text_buffer user_;       // as the first welcome told
    text_buffer elsewhere_;  // the address given by the server (7.1); empty: the host's own
    options options_;
    text_buffer session_;  // a secret that only this client and the server know
    text_buffer
        name_;  // the session's public name, as the welcome tells it; in `except` it means this client
    // Random, and part of each key (protocol 4.9): a session that outlives its page does not repeat its keys.
    std::uint64_t life_;
    transport_picker picker_;
    backoff backoff_;
};

}  // namespace pulsewire::client
