// GET /sse and POST /sse: the frames of pulsewire.v1, the server's half as an event stream and the client's
// by POST (protocol 2.2, 8.1, 8.2).

#include "common/base/base64.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/random.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"
#include "server/transport/event_conversation.hpp"
#include "server/transport/event_response.hpp"

#include <boost/asio/post.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::shell {
namespace {

class stream final : public event_conversation {
public:
    stream(connection& owner, shard& own_shard, std::uint64_t process, access::principal_ptr who)
        : event_conversation(transport::sse, owner, own_shard), process_(process), who_(std::move(who)) {}

    void on_begin() override {
        secret_ = own_shard().streams().add(owner().id(), random_secret(), process_);
        std::string first;
        event_stream::append_stream_event(first, secret_);
        owner().out().push_raw(std::move(first));
        owner().out().set_framing(delivery::framing::event_stream);
        owner().flush_soon();
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.open(
                owner().id(), hub::face::protocol_stream, secret_, {}, now, owner().source(), std::move(who_)
            );
        });
    }

    // Carries the lines out, now or when there is room for their answers; `done` is called once.
    void take(std::string_view lines, post_done done) {
        const std::size_t bytes_max = base64_size(own_shard().settings().bounds.message_bytes_max);
        if (posts_.size() >= posts_max || (!posts_.empty() && posts_bytes_ + lines.size() > bytes_max))
            return done(post_outcome::too_many);
        posts_.push_back({std::string(lines), 0, std::move(done)});
        posts_bytes_ += lines.size();
        owner().keeps_unread(posts_bytes_);
        if (!owner().waits_for_room()) carry_out_posts();
    }
    void on_room() override { carry_out_posts(); }

    // The hub's lines hold no carriage return, so each is one data line as it is.
    void on_message(const hub::message_ptr& m, delivery::counts how) override {
        owner().out().push_message(m, how);
        owner().flush_soon();
    }

    void on_lost() override {
        own_shard().streams().remove(secret_);
        event_conversation::on_lost();
        for (const post& p : std::exchange(posts_, {})) p.done(post_outcome::gone);
    }

private:
    // POSTs of one stream that wait, together at most one body; beyond: 503.
    static constexpr std::size_t posts_max = 16;

    struct post {
        std::string lines;
        std::size_t carried_out = 0;  // bytes of them
        post_done done;
    };

    void push_close(const hub::message_ptr& close) override { owner().out().push_message(close); }

    void carry_out_posts() {
        while (!posts_.empty()) {
            if (!carry_out(posts_.front())) return owner().wait_for_room();
            if (posts_.empty()) return;  // a line has ended the stream
            const post whole = std::move(posts_.front());
            posts_.pop_front();
            posts_bytes_ -= whole.lines.size();
            owner().keeps_unread(posts_bytes_);
            whole.done(post_outcome::taken);
        }
    }

    // Whether nothing of it is left.
    bool carry_out(post& p) {
        for (std::size_t done = 1; done != 0 && p.carried_out < p.lines.size(); p.carried_out += done) {
            if (!owner().has_room()) return false;
            const std::string_view rest = std::string_view(p.lines).substr(p.carried_out);
            own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
                done = h.receive(owner().id(), rest, now, owner().out().room());
            });
            if (posts_.empty()) return true;
        }
        return p.carried_out == p.lines.size();
    }

    std::uint64_t process_;  // node_port::process()
    std::string secret_;
    access::principal_ptr who_;
    std::deque<post> posts_;       // that are not wholly carried out
    std::size_t posts_bytes_ = 0;  // of their lines
};

response answer_to(post_outcome how) {
    response r;
    switch (how) {
        case post_outcome::taken:
            r.status = 204;
            return r;
        case post_outcome::gone:
            break;
        case post_outcome::too_many:
            return error_response(
                503, error_code::overloaded, "an earlier POST to this stream waits; send one at a time"
            );
        case post_outcome::unreachable:
            return error_response(
                503, error_code::broker_unavailable,
                "another server has the stream, and does not answer now; whether it took the lines is not "
                "known"
            );
    }
    return error_response(
        404, error_code::not_connected, "there is no such stream; open a new one with GET /sse"
    );
}

void give(shard& target, std::string_view name, std::string_view lines, post_done done) {
    const auto id = target.streams().find(name);
    connection* c = id ? target.find(*id) : nullptr;
    if (c == nullptr || c->current_conversation().kind() != transport::sse) return done(post_outcome::gone);
    static_cast<stream&>(c->current_conversation()).take(lines, std::move(done));
}

}  // namespace

void open_stream(http_conversation& c) {
    c.upgrade(
        event_response(), std::make_unique<stream>(c.owner(), c.own_shard(), c.own_node().process(), c.who())
    );
}

void give_to_stream(node& all, const std::string& name, std::string lines, post_done done) {
    const auto index = stream_names::shard_of(name);
    if (!index || *index >= all.shard_count()) return done(post_outcome::gone);
    shard& target = all.at(*index);
    boost::asio::post(
        target.loop(), [&target, name, lines = std::move(lines),
                        done = std::move(done)]() mutable { give(target, name, lines, std::move(done)); }
    );
}

void post_to_stream(http_conversation& c) {
    const std::string name(c.asked().field("Pulsewire-Connection"));
    if (name.empty()) {
        return c.answer(error_response(
            400, error_code::invalid_frame,
            "name the stream in the field Pulsewire-Connection; its first event tells the value"
        ));
    }
    shard& asker = c.own_shard();
    const std::uint64_t connection = c.owner().id();
    const std::uint64_t ticket = c.wait_for_answer();
    const auto answer = [&asker, connection, ticket](post_outcome how) {
        auto* waiting = http_conversation::waiting(asker, connection, ticket);
        if (waiting != nullptr) waiting->answer(answer_to(how));
    };
    const auto index = stream_names::shard_of(name);
    const bool is_here =
        index && *index == asker.index() && stream_names::process_of(name) == c.own_node().process();
    if (is_here) return give(asker, name, c.body(), answer);
    c.own_node().post_to_stream(name, std::string(c.body()), [&asker, answer](post_outcome how) {
        boost::asio::post(asker.loop(), [answer, how] { answer(how); });
    });
}

}  // namespace pulsewire::shell
