// A queue that takes part in shared runs sends the same as one that gets each line for itself.

#include "common/delivery/fan_out.hpp"

#include "common/base/random.hpp"
#include "common/delivery/outbound_fixture_test.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "common/protocol/websocket_reader.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::delivery {
namespace {

using texts = std::vector<std::string>;

hub::message_ptr publication(
    std::string channel, std::uint64_t offset, slow_consumer policy, std::size_t size = 1
) {
    hub::publish p;
    p.channel = std::move(channel);
    p.type = "t";
    p.payload = std::string(size, '1');
    return hub::make_message(p, offset, 1, policy);
}

class outbound_runs_test : public outbound_test {
protected:
    static constexpr std::uint64_t connection = 7;

    // As a shard does when the connection is sent something else in the same turn: it is visited at once, and
    // takes part, or is given the message alone. Returns whether it was alone.
    bool publish(outbound& queue, const hub::message_ptr& m) {
        if (const auto* apart = gather(m)) {
            if (apart->empty()) return false;
            EXPECT_EQ(*apart, std::vector{connection});
            push_alone(queue, m);
            return true;
        }
        const auto visit = fan_out_.take(connection);
        EXPECT_TRUE(visit);
        if (auto run = visit->batch->run_for(queue)) {
            queue.push_run(std::move(run));
            return false;
        }
        push_alone(queue, m);
        fan_out_.exclude(*visit);
        return true;
    }
    const std::vector<std::uint64_t>* gather(const hub::message_ptr& m) {
        const auto* apart = fan_out_.extend(m, audience_);
        if (apart == nullptr) fan_out_.begin(m, audience_, std::vector{connection});
        return apart;
    }
    static void push_alone(outbound& queue, const hub::message_ptr& m) {
        queue.push_line(shared_bytes(m, &m->line), counts::as_live, m.get());
    }
    // At the end of a turn.
    written write_gathered(outbound& queue) {
        const auto visit = fan_out_.next();
        EXPECT_TRUE(visit);
        auto run = visit->batch->run_for(queue);
        if (run != nullptr) return peer_.take_run(queue, std::move(run));
        for (const hub::message_ptr& m : visit->batch->messages()) push_alone(queue, m);
        return peer_.take(queue);
    }
    void push_for(outbound& queue, const hub::message_ptr& m) { EXPECT_FALSE(publish(queue, m)); }
    void push(const hub::message_ptr& m) { publish(queue_, m); }
    // All lines of the WebSocket messages that a peer reads, and how many messages there were.
    texts lines_of(std::string bytes) {
        websocket::reader reader(websocket::role::client, 1 << 24);
        std::span<char> left(bytes);
        texts lines;
        for (auto e = reader.next(left); e.kind == websocket::event_kind::text; e = reader.next(left)) {
            ++messages_;
            for (std::size_t at = 0, end = 0; at < e.data.size(); at = end + 1) {
                end = e.data.find('\n', at);
                lines.emplace_back(e.data.substr(at, end - at));
            }
        }
        EXPECT_TRUE(left.empty());
        return lines;
    }

    fan_out fan_out_{bounds_};
    std::uint64_t audience_ = 1;
    int messages_ = 0;
};

std::string line_of(const hub::message_ptr& m) {
    return m->line.substr(0, m->line.size() - 1);
}

TEST_F(outbound_runs_test, neighbours_in_a_run_are_one_piece) {
    queue_.set_framing(framing::websocket);
    texts expected;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        const auto m = publication("a", i, slow_consumer::disconnect);
        push(m);
        expected.push_back(line_of(m));
    }
    EXPECT_EQ(queue_.pieces(), 1u);
    EXPECT_EQ(lines_of(pass_all()), expected);
    EXPECT_EQ(messages_, 1);
}

TEST_F(outbound_runs_test, what_is_gathered_is_written_without_being_queued) {
    queue_.set_framing(framing::websocket);
    texts expected;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        const auto m = publication("a", i, slow_consumer::disconnect);
        gather(m);
        expected.push_back(line_of(m));
    }
    const auto done = write_gathered(queue_);
    EXPECT_EQ(done.how, outcome::drained);
    EXPECT_FALSE(fan_out_.next());
    const std::string bytes = read();
    EXPECT_EQ(done.bytes, bytes.size());
    EXPECT_EQ(lines_of(bytes), expected);
    EXPECT_EQ(messages_, 1);
}

// The rest of a run that did not fit stays, in front of what comes next.
TEST_F(outbound_runs_test, a_run_that_does_not_fit_is_finished_later) {
    queue_.set_framing(framing::websocket);
    const auto large = publication("a", 1, slow_consumer::disconnect, 4 << 20);
    const auto next = publication("b", 1, slow_consumer::disconnect);
    gather(large);
    const auto done = write_gathered(queue_);
    EXPECT_EQ(done.how, outcome::blocked);
    EXPECT_GT(done.bytes, 0u);
    EXPECT_LT(done.bytes, large->line.size());
    EXPECT_EQ(queue_.pieces(), 1u);
    EXPECT_FALSE(queue_.takes_runs());
    push_alone(queue_, next);
    EXPECT_EQ(lines_of(pass_all()), (texts{line_of(large), line_of(next)}));
    EXPECT_FALSE(queue_.overflows());
    EXPECT_EQ(queue_.drop_lines(), 0u);
}

TEST_F(outbound_runs_test, each_who_waits_is_visited_once) {
    const auto m = publication("a", 1, slow_consumer::disconnect);
    fan_out_.begin(m, audience_, std::vector<std::uint64_t>{1, 2, 3});
    EXPECT_EQ(fan_out_.upcoming(2), 3u);
    EXPECT_EQ(fan_out_.upcoming(3), 0u);
    EXPECT_EQ(fan_out_.next()->connection, 1u);
    EXPECT_FALSE(fan_out_.take(1));
    EXPECT_EQ(fan_out_.take(2)->connection, 2u);
    EXPECT_FALSE(fan_out_.take(2));
    EXPECT_FALSE(fan_out_.take(4));
    EXPECT_EQ(fan_out_.next()->connection, 3u);
    EXPECT_FALSE(fan_out_.next());
}

// A connection that subscribes in the middle of a turn, or again.
TEST_F(outbound_runs_test, another_audience_gets_a_run_of_its_own) {
    queue_.set_framing(framing::websocket);
    outbound other(storage_);
    other.set_framing(framing::websocket);
    const auto first = publication("a", 1, slow_consumer::disconnect);
    const auto second = publication("a", 2, slow_consumer::disconnect);
    publish(other, first);
    queue_.push_line(bytes_of("subscribed\n"));
    ++audience_;
    push(second);
    EXPECT_EQ(lines_of(pass_all()), (texts{"subscribed", line_of(second)}));
    EXPECT_EQ(other.pieces(), 1u);
    EXPECT_EQ(other.drop_lines(), 1u);
}

TEST_F(outbound_runs_test, a_run_grows_before_what_came_into_the_queue_behind_it) {
    queue_.set_framing(framing::websocket);
    const auto first = publication("a", 1, slow_consumer::disconnect);
    const auto second = publication("a", 2, slow_consumer::disconnect);
    push(first);
    queue_.push_line(bytes_of("answer\n"));
    push(second);
    EXPECT_EQ(queue_.pieces(), 2u);
    EXPECT_EQ(lines_of(pass_all()), (texts{line_of(first), line_of(second), "answer"}));
    EXPECT_EQ(messages_, 1);
}

// Bytes that stand for themselves frame what waits before them; a message that goes to few goes alone.
TEST_F(outbound_runs_test, nothing_overtakes_what_ends_a_run) {
    queue_.set_framing(framing::websocket);
    std::vector<hub::message_ptr> all;
    for (std::uint64_t i = 1; i <= 4; ++i) all.push_back(publication("a", i, slow_consumer::disconnect));
    push(all[0]);
    queue_.push_raw(std::string("\x81\x02r\n", 4));
    push(all[1]);
    fan_out_.forget("a");
    push_alone(queue_, all[2]);
    push(all[3]);
    EXPECT_EQ(
        lines_of(pass_all()), (texts{line_of(all[0]), "r", line_of(all[1]), line_of(all[2]), line_of(all[3])})
    );
}

TEST_F(outbound_runs_test, a_transient_message_does_not_grow_texts_made_for_publications) {
    outbound websocket(storage_), events(storage_);
    websocket.set_framing(framing::websocket);
    struct lines final : shared_event_texts {
        void write(const hub::message& m, std::string& out) override { out += m.line; }
    };
    struct none final : event_text_source {
        bool shares_texts() const override { return true; }
        std::unique_ptr<shared_event_texts> shared_texts() const override {
            return std::make_unique<lines>();
        }
        void write(const hub::message_ptr& m, std::string& out) override { out += "made " + m->line; }
        bool continues(std::span<const hub::message_ptr>) override { return true; }
        void write_gap(std::string_view, std::uint64_t, slow_consumer, std::string&) override {}
    } maker;
    events.set_framing(framing::cursor_events, &maker);
    push_for(websocket, publication("a", 1, slow_consumer::disconnect));
    const auto transient = hub::make_direct("a", "t", "1");
    EXPECT_NE(gather(transient), nullptr);
    ++audience_;
    push_for(events, publication("a", 2, slow_consumer::disconnect));
    EXPECT_EQ(fan_out_.extend(transient, audience_), nullptr);
    EXPECT_NE(gather(publication("a", 3, slow_consumer::disconnect)), nullptr);
    // Where nobody had a text made yet, who wants one is told.
    ++audience_;
    gather(publication("a", 4, slow_consumer::disconnect));
    EXPECT_NE(gather(transient), nullptr);
    EXPECT_FALSE(fan_out_.next()->batch->only_publications());
}

TEST_F(outbound_runs_test, messages_keep_their_bounds) {
    bounds_.batch_messages_max = 2;
    queue_.set_framing(framing::websocket);
    for (std::uint64_t i = 1; i <= 5; ++i) push(publication("a", i, slow_consumer::disconnect));
    EXPECT_EQ(lines_of(pass_all()).size(), 5u);
    EXPECT_EQ(messages_, 3);
    bounds_.batch_messages_max = 64;
    bounds_.batch_bytes_max = 100;
    fan_out_.clear();
    for (std::uint64_t i = 1; i <= 3; ++i) push(publication("a", i, slow_consumer::disconnect, 50));
    EXPECT_EQ(lines_of(pass_all()).size(), 3u);
    EXPECT_EQ(messages_, 6);
}

TEST_F(outbound_runs_test, lines_of_a_run_are_one_event) {
    queue_.set_framing(framing::event_stream);
    const auto first = publication("a", 1, slow_consumer::disconnect);
    const auto second = publication("a", 2, slow_consumer::disconnect);
    push(first);
    push(second);
    queue_.push_line(bytes_of("answer\n"));
    EXPECT_EQ(pass_all(), "data: " + first->line + "data: " + second->line + "data: answer\n\n");
}

struct numbers final : shared_event_texts {
    void write(const hub::message& m, std::string& out) override {
        out += "shared " + std::to_string(m.offset) + ";";
    }
};

// A maker that has written up to `position`.
struct counting final : event_text_source {
    bool shares_texts() const override { return true; }
    std::unique_ptr<shared_event_texts> shared_texts() const override { return std::make_unique<numbers>(); }
    std::uint64_t position = 0;

    void write(const hub::message_ptr& m, std::string& out) override {
        if (m->offset <= position) return;
        position = m->offset;
        out += "made " + std::to_string(position) + ";";
    }
    bool continues(std::span<const hub::message_ptr> messages) override {
        if (messages.front()->offset != position + 1) return false;
        position = messages.back()->offset;
        return true;
    }
    void write_gap(std::string_view, std::uint64_t, slow_consumer, std::string&) override {}
};

TEST_F(outbound_runs_test, made_texts_are_shared_where_they_fit) {
    counting maker;
    queue_.set_framing(framing::cursor_events, &maker);
    const auto push_made = [&](std::uint64_t offset) {
        const auto m = publication("a", offset, slow_consumer::disconnect);
        publish(queue_, m);
    };
    for (std::uint64_t i = 1; i <= 3; ++i) push_made(i);
    EXPECT_EQ(queue_.pieces(), 1u);
    EXPECT_EQ(pass_all(), "shared 1;shared 2;shared 3;");
    EXPECT_EQ(maker.position, 3u);
    // Publications that this stream has had already are not written again.
    fan_out_.clear();
    for (std::uint64_t i = 2; i <= 5; ++i) push_made(i);
    EXPECT_EQ(pass_all(), "made 4;made 5;");
    push_made(6);
    EXPECT_EQ(pass_all(), "shared 6;");
}

TEST_F(outbound_runs_test, what_is_dropped_with_the_connection_is_counted_by_lines) {
    queue_.set_framing(framing::websocket);
    for (std::uint64_t i = 1; i <= 3; ++i) push(publication("a", i, slow_consumer::disconnect));
    EXPECT_EQ(queue_.drop_lines(), 3u);
    EXPECT_TRUE(queue_.empty());
    EXPECT_FALSE(queue_.overflows());
}

// However much the kernel takes, in whatever order runs, single lines and turns come: with nothing to drop
// all comes once and in order; with drop_oldest what does not come is told before the next one.
TEST_F(outbound_runs_test, holds_under_random_turns_and_a_slow_reader) {
    for (const slow_consumer policy : {slow_consumer::disconnect, slow_consumer::drop_oldest}) {
        std::uint64_t random = 7;
        outbound queue(storage_);
        queue.set_framing(framing::websocket);
        bounds_.queue_bytes_max = policy == slow_consumer::drop_oldest ? 20'000 : 1 << 30;
        std::string got;
        std::uint64_t offset = 0, blocked = 0, gaps = 0, shared = 0, alone = 0, at_once = 0;
        for (int turn = 0; turn < 3'000; ++turn) {
            for (std::uint64_t n = next_random(random, 6); n > 0; --n) {
                const auto m = publication("a", ++offset, policy, 1 + next_random(random, 2'000));
                switch (next_random(random, 8)) {
                    case 0:
                        fan_out_.forget("a");
                        push_alone(queue, m);
                        break;
                    case 1:
                        ++audience_;
                        [[fallthrough]];
                    default:
                        alone += publish(queue, m);
                        ++shared;
                }
                (void)queue.overflows();
            }
            written done = peer_.take(queue);
            if (next_random(random, 2) == 0) {
                // The batch that is gathered last is written at once.
                fan_out_.forget("a");
                gather(publication("a", ++offset, policy, 1 + next_random(random, 2'000)));
                at_once += queue.takes_runs() && queue.empty();
                done = write_gathered(queue);
            }
            fan_out_.clear();
            blocked += done.how == outcome::blocked;
            if (next_random(random, 2) == 0) got += read();
        }
        while (!queue.empty()) {
            (void)peer_.take(queue);
            got += read();
        }
        got += read();
        std::uint64_t position = 0;
        for (const std::string& line : lines_of(got)) {
            const std::size_t at = line.find("\"offset\":");
            ASSERT_NE(at, std::string::npos) << line;
            const std::uint64_t told = std::stoull(line.substr(at + 9));
            if (line.starts_with("{\"op\":\"gap\"")) {
                ++gaps;
                position = told;
            } else {
                ASSERT_EQ(told, ++position) << line.substr(0, 80);
            }
        }
        EXPECT_EQ(position, offset);
        EXPECT_GT(shared - alone, 300u);
        EXPECT_GT(alone, 100u);
        EXPECT_GT(at_once, 100u);
        EXPECT_GT(blocked, 100u);
        EXPECT_EQ(gaps > 0, policy == slow_consumer::drop_oldest);
    }
}

}  // namespace
}  // namespace pulsewire::delivery
