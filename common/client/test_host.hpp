#pragma once

// A host for tests of the machine: it does the work of a browser page, records each action as one
// line of text, and lets time pass.

#include "common/client/machine.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::client {

class test_host {
public:
    using lines = std::vector<std::string>;

    // Delays of exactly one second, so that scripts can be read.
    static options steady() {
        options o;
        o.backoff.min_ms = o.backoff.max_ms = o.backoff.floor_ms = 1'000;
        return o;
    }

    explicit test_host(const options& o = steady(), std::uint64_t seed = 1)
        : machine(o, "ada-session", seed) {}

    // --- what happens ---

    void start() {
        machine.start(now);
        obey();
    }
    void stop() {
        machine.stop(now);
        obey();
    }
    // The application has a token, or none now.
    void token(const std::string& text) { token_for(ask, text); }
    void token_for(std::uint32_t which, const std::string& text) {
        machine.token(which, text, now);
        obey();
    }
    void token_fails() {
        machine.token_failed(ask, now);
        obey();
    }
    // The newest transport that the machine asked for opens, brings a line, or is lost.
    void opened() {
        machine.transport_opened(attempt, now);
        obey();
    }
    void hears(const std::string& line) {
        heard_ = line;
        const auto at = line.find("\"payload\":");
        const std::size_t header = at == std::string::npos ? line.size() : at + 10;
        // A copy of exactly this size, so that AddressSanitizer sees every byte read beyond it.
        const std::vector<char> exact(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(header));
        machine.line(attempt, {exact.data(), exact.size()}, static_cast<std::uint32_t>(line.size()), now);
        obey();
    }
    void lost(std::uint16_t close = 1006) {
        machine.transport_closed(attempt, close, now);
        obey();
    }
    void online() {
        machine.network_online(now);
        obey();
    }
    // Time passes; the timer fires when it is due.
    void pass(time_ms ms) {
        const time_ms until = now + ms;
        while (timer_due >= 0 && timer_due <= until) {
            now = timer_due;
            ring();
        }
        now = until;
    }
    // The timer fires, whether due or not.
    void ring() {
        timer_due = -1;
        machine.timer(now);
        obey();
    }

    void welcome() {
        hears(
            R"({"op":"welcome","session":"ada-session","server":"s","ping_ms":25000,"pong_ms":8000,"message_bytes_max":65536})"
        );
    }
    // The welcome of a user whose token counts for so long.
    void welcome_user(const std::string& user, std::uint64_t expires_in_ms) {
        hears(
            R"({"op":"welcome","session":"ada-session","user":")" + user + R"(","expires_in_ms":)" +
            std::to_string(expires_in_ms) + R"(,"server":"s","ping_ms":25000,"pong_ms":8000})"
        );
    }
    // Goes through all steps up to the state `open`, and forgets their lines.
    void become_open() {
        if (machine.current() == state::idle) start();
        if (machine.current() == state::waiting) online();
        opened();
        welcome();
        done();
    }

    // --- what the application does ---

    std::uint32_t subscribe(std::string_view channel, const subscribe_options& how = {}) {
        return obeyed(machine.subscribe(channel, how, now));
    }
    void unsubscribe(std::uint32_t id) {
        machine.unsubscribe(id, now);
        obey();
    }
    std::uint32_t publish(
        std::string_view channel, const publish_options& how = {}, std::uint32_t bytes = 1
    ) {
        return obeyed(machine.publish(channel, "t", bytes, how, now));
    }
    // Asks for the page before the newest publication.
    std::uint32_t history(std::string_view channel) {
        return obeyed(machine.history(channel, 5, 0, history_page::before, now));
    }
    std::uint32_t request(std::uint32_t timeout_ms = 0) {
        return obeyed(machine.request("sum.add", 1, timeout_ms, now));
    }
    void cancel(std::uint32_t id) {
        machine.cancel(id, now);
        obey();
    }
    // Makes a subscription with a position, and forgets its lines.
    std::uint32_t subscribe_at(std::string_view channel, std::uint64_t offset) {
        const std::uint32_t id = subscribe(channel);
        const std::string sent = sent_.back();
        const std::string command =
            sent.substr(sent.find("\"id\":") + 5, sent.find(",\"channel") - sent.find("\"id\":") - 5);
        hears(
            R"({"op":"subscribed","id":)" + command + R"(,"channel":")" + std::string(channel) +
            R"(","epoch":"x7Qa","offset":)" + std::to_string(offset) + R"(,"replay":0})"
        );
        done();
        return id;
    }

    // The actions since the last call, without timers.
    lines done() { return std::exchange(done_, {}); }

    class machine machine;
    time_ms now = 1'000'000;
    std::uint32_t attempt = 0;
    std::uint32_t ask = 0;              // the newest question for a token
    std::vector<std::uint32_t> closed;  // the transports that the machine closed
    time_ms timer_due = -1;             // -1: none
    int timers = 0;                     // set so far

private:
    std::uint32_t obeyed(std::uint32_t id) {
        obey();
        return id;
    }

    void obey() {
        for (std::size_t i = 0; i < machine.actions().size(); ++i) {
            const action a = machine.actions()[i];
            const std::string text = text_of(a);
            if (!text.empty()) done_.push_back(text);
        }
        machine.clear_actions();
    }

    std::string part(slice s) const { return std::string(s.of(heard_)); }
    static std::string by(const action& a) { return a.via == transport::sse ? " by sse" : " by websocket"; }

    std::string text_of(const action& a) {
        const std::string to = " to " + std::to_string(a.id) + ":";
        switch (a.kind) {
            case action_kind::open_transport:
                attempt = a.attempt;
                return "open" + by(a) + (a.text_size != 0 ? ": " + std::string(machine.text_of(a)) : "");
            case action_kind::close_transport:
                closed.push_back(a.attempt);
                return "close with " + std::to_string(a.close);
            case action_kind::send: {
                std::string text(machine.text_of(a));
                if (a.payload_of != 0) text += "<" + std::to_string(a.payload_of) + ">}";
                sent_.push_back(text);
                return "send " + text;
            }
            case action_kind::set_timer:
                timer_due = now + a.delay_ms;
                ++timers;
                return {};
            case action_kind::state_changed:
                return state_text(a);
            case action_kind::deliver:
                return "deliver" + to + " " + part(a.type) + of_user(a) +
                       (a.offset != 0 ? " at " + std::to_string(a.offset) : "") +
                       (a.replayed ? " again" : "") + " " + part(a.payload);
            case action_kind::subscribed: {
                const char* outcomes[] = {" fresh", " recovered", " lost"};
                return "subscribed" + to + outcomes[static_cast<int>(a.outcome)] + " " + part(a.epoch) + " " +
                       std::to_string(a.offset) + (a.reason.size != 0 ? " " + part(a.reason) : "");
            }
            case action_kind::snapshot:
                return "snapshot" + to + " " + part(a.type) + " " + std::to_string(a.attempt) + " of " +
                       std::to_string(a.delay_ms) +
                       (a.offset != 0 ? " up to " + std::to_string(a.offset) : "") + " " + part(a.payload);
            case action_kind::snapshot_wanted:
                return "wants a snapshot of " + std::to_string(a.id);
            case action_kind::presence:
                return "present" + to + " " + part(a.payload);
            case action_kind::joined:
                return "joined" + to + " " + part(a.session) + of_user(a) +
                       (a.user_info.size != 0 ? " who shows " + part(a.user_info) : "") + " " +
                       part(a.payload);
            case action_kind::left:
                return "left" + to + " " + part(a.session);
            case action_kind::gap:
                return "gap" + to + " until " + std::to_string(a.offset);
            case action_kind::asked:
                return "asked" + to + " " + std::to_string(a.offset) + " " + part(a.session) + " " +
                       part(a.type) + of_user(a) + " " + part(a.payload);
            case action_kind::refused:
                return "refused" + to + " " + code_of(a) + " " + part(a.message);
            case action_kind::published:
                return "published " + std::to_string(a.id) +
                       (a.offset != 0 ? " at " + part(a.epoch) + " " + std::to_string(a.offset) : "");
            case action_kind::answered:
                return "answered " + std::to_string(a.id) + ": " + part(a.payload);
            case action_kind::failed:
                return "failed " + std::to_string(a.id) + ": " + code_of(a) +
                       (a.pointer.size != 0 ? " in " + part(a.pointer) : "") +
                       (a.message.size != 0 ? " " + part(a.message) : "");
            case action_kind::need_token:
                if (a.attempt == 0) return "needs that token no more";
                ask = a.attempt;
                return "needs a token: " + std::string(reasons[a.id]);
            case action_kind::offered:
                return "offered " + part(a.type);
            case action_kind::degraded:
                return a.id == 1 ? "degraded " + part(a.message) : "restored";
        }
        return "?";
    }

    static constexpr std::string_view reasons[] = {"connect", "expiring", "expired", "revoked", "refused"};
    std::string of_user(const action& a) const { return a.user.size != 0 ? " of " + part(a.user) : ""; }
    std::string code_of(const action& a) const {
        return a.local_code != error_code::none ? std::string(name_of(a.local_code)) : part(a.code);
    }

    std::string state_text(const action& a) {
        const std::string failures = ", failures " + std::to_string(a.attempt);
        const std::string why =
            " after " + std::to_string(a.close) + (a.message.size != 0 ? " " + part(a.message) : "");
        switch (a.to) {
            case state::connecting:
                return "is connecting" + by(a) + failures;
            case state::open:
                return "is open" + by(a) + (a.user.size != 0 ? " as " + part(a.user) : "");
            case state::waiting:
                return "is waiting " + std::to_string(a.delay_ms) + why + failures;
            case state::closed:
                return "is closed" + why;
            case state::idle:
                break;
        }
        return "?";
    }

    std::string heard_;
    lines done_;
    lines sent_;
};

}  // namespace pulsewire::client
