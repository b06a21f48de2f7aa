// Two hubs of one node, up to six connections of every kind, an application and a disk: whatever lines come,
// and in whichever order things happen, each line that a connection gets is one line of JSON, and when
// everybody has left, nothing is left. The input is a script, a step a line: what happens, to whom, and the
// text that is sent. The corpus has examples.

#include "common/exchange/message_text.hpp"
#include "common/hub/test_node.hpp"
#include "common/protocol/json_scan.hpp"
#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace pulsewire::fuzz {
namespace {

using namespace hub;

// Small bounds, so that short scripts reach them.
config options(bool with_application) {
    config c;
    c.bounds.commands_per_second = 40;
    c.bounds.channels_max = 4;
    c.bounds.channels_per_connection_max = 3;
    c.bounds.requests_per_connection_max = 2;
    c.bounds.recovery_max = 2;
    c.bounds.idempotency_keys_max = 3;
    c.bounds.presence_members_max = 2;
    c.bounds.presence_info_bytes_max = 10;
    c.bounds.storage_queue_bytes_max = 500;
    c.default_namespace.history_count_max = 3;
    c.default_namespace.client_requests = true;
    c.namespaces["disk"].keeps = durability::disk;
    c.namespaces["disk"].history_count_max = 3;
    c.namespaces["quiet"].client_publish = c.namespaces["quiet"].presence = false;
    if (with_application) c.observers = {{true, true, true, true}};
    return c;
}

class script {
public:
    explicit script(bool with_application) : node_(2, options(with_application), 7) { restore(); }

    void run(std::string_view input) {
        while (!input.empty()) {
            std::string_view line = take_until(input, '\n');
            const unsigned what = take_byte(line), whom = take_byte(line);
            step(static_cast<char>(what), whom, line);
            if (!late_) settle();
            listen();
        }
        for (auto& c : clients_) leave(c);
        settle();
        require(node_.session_count() == 0, "no session is left");
        require(node_.subscription_count() == 0, "no subscription is left");
    }

private:
    struct client : test_node::client {
        face speaks;
    };

    void step(char what, unsigned whom, std::string_view text) {
        auto& c = clients_[whom % clients_.size()];
        const auto shard = static_cast<shard_index>(whom % 2);
        switch (what) {
            case 'P':
                return open(c, shard, face::protocol);
            case 'S':
                return open(c, shard, face::protocol_stream);
            case 'W':
                return open(c, shard, face::plain_websocket);
            case 'E':
                return open(c, shard, face::event_stream);
            case 'A':
                return open(c, shard, face::api);
            case 'x':
                return leave(c);
            case 't':
                return pass(static_cast<std::int64_t>(whom % 16) * 500);
            case 'T':
                return pass(static_cast<std::int64_t>(whom % 16) * 600'000);
            case '~':
                late_ = !late_;
                return;
            case '.':
                return void(node_.step());
            case 'w':
                return void(node_.write(shard));
            case 'f':
                return lose_writes(shard);
            case 'd':
                return at(shard, [](auto& h, instant now) {
                    h.drain(close_code::service_restart, 500, now);
                });
            case 'h':
                return at(shard, [](auto& h, instant now) { h.hand_over(close_code::going_away, 500, now); });
        }
        if (!c) return;
        switch (what) {
            case 'b':
                return say_binary(*c, text);
            case 'o':
                return at(c->shard, [&](auto& h, instant now) {
                    h.receive_oversized(c->connection, text, now);
                });
            case '!':
                return at(c->shard, [&](auto& h, instant now) { h.heard(c->connection, now); });
            case 'k':
                return node_.post(c->shard, disconnect{{c->shard, c->connection}, close_code::normal, "bye"});
            default:
                return say(*c, text);
        }
    }

    // A binary message; '|' stands for the newlines that a step cannot have.
    void say_binary(const client& c, std::string_view text) {
        if (c.speaks != face::protocol) return;
        std::string message(text);
        std::replace(message.begin(), message.end(), '|', '\n');
        at(c.shard, [&](auto& h, instant now) {
            h.receive(c.connection, message, now, pulsewire::hub::hub::no_limit, message_form::binary);
        });
    }

    // As the shell does it: frames as they come, and what plain connections mean as one command.
    void say(const client& c, std::string_view text) {
        if (c.speaks == face::protocol || c.speaks == face::protocol_stream) return void(node_.say(c, text));
        std::string scratch;
        if (const auto read = read_command(text, scratch))
            at(c.shard, [&](auto& h, instant now) { h.execute(c.connection, *read, now); });
    }

    template <class Call>
    void at(shard_index shard, Call&& call) {
        call(node_.at(shard), node_.now());
        node_.carry_out(shard);
    }

    void open(std::optional<client>& c, shard_index shard, face f) {
        leave(c);
        const bool names_itself = f == face::protocol || f == face::protocol_stream;
        const std::string_view secret = f == face::protocol_stream ? "secret" : "";
        c = client{node_.open(shard, f, secret, names_itself ? "" : "anonymous"), f};
    }

    void leave(std::optional<client>& c) {
        if (c) node_.close(*c);
        c.reset();
    }

    void pass(std::int64_t ms) {
        node_.skip(ms);
        for (shard_index s = 0; s < 2; ++s) at(s, [](auto& h, instant now) { h.tick(now); });
    }

    // The store carries nothing out of what waits.
    void lose_writes(shard_index shard) {
        auto lost = std::exchange(node_.unwritten(shard), {});
        if (lost.empty()) return;
        at(shard, [&](auto& h, instant now) {
            h.store_failed(lost.front().term, error_code::overloaded, "the disk is full", now);
        });
    }

    // A durable channel with two publications and a key from an earlier life, for "epoch":"e".
    void restore() {
        restored_channel kept{"disk:a", "e", 2, {}};
        publish p;
        p.channel = "disk:a";
        p.type = "t";
        p.payload = "1";
        for (const std::uint64_t offset : {1, 2})
            kept.publications.push_back(make_message(p, offset, node_.now().wall_ms));
        pulsewire::hub::hub& owner = node_.owner_of("disk:a");
        owner.restore(std::move(kept), node_.now());
        owner.restore(restored_key{"disk:a", "e", "k", 2, node_.now().wall_ms}, node_.now());
    }

    // All posts arrive, and the application passes publications on and answers requests.
    void settle() {
        for (auto told = node_.told(); !told.empty(); told = node_.told())
            for (to_observer& m : told) {
                if (auto* p = std::get_if<client_publish>(&m))
                    node_.post(node_.owner_index(p->what.channel), std::move(p->what));
                if (const auto* r = std::get_if<client_request>(&m))
                    node_.post(r->from.shard, reply{r->from, make_response(r->id, "[]"), r->id});
            }
    }

    void listen() {
        for (auto& c : clients_) {
            if (!c) continue;
            for (const std::string& line : node_.heard_so_far(*c)) {
                std::size_t stopped_at = 0;
                const std::string_view head = std::string_view(line).substr(0, line.find('\n'));
                require(is_json(head, json_depth_max + 8, stopped_at), "a line is JSON");
                require(head.find('\r') == head.npos, "a line is one line");
                const std::size_t behind = line.size() - head.size();
                require(behind == 0 || bytes_behind(head) == behind - 1, "its bytes are counted");
            }
            if (node_.ended(*c) != close_code::none) c.reset();
        }
    }

    test_node node_;
    std::array<std::optional<client>, 6> clients_;
    bool late_ = false;  // whether posts wait until a step delivers one
};

}  // namespace

void test_one_input(std::string_view input) {
    const bool with_application = input.starts_with('*');
    script(with_application).run(input);
}

}  // namespace pulsewire::fuzz
