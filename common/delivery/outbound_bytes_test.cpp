// Payloads of bytes in the forms of each framing (protocol 2.5), alone and in runs.

#include "common/delivery/fan_out.hpp"
#include "common/delivery/outbound_fixture_test.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/websocket_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace pulsewire::delivery {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

hub::message_ptr publication(
    std::uint64_t offset, bool binary, slow_consumer policy = slow_consumer::disconnect
) {
    hub::publish p;
    p.channel = "c";
    p.type = "t";
    p.binary = binary;
    p.payload = binary ? "\x00\n\xff"s : "1"s;
    return hub::make_message(p, offset, 5, policy);
}

std::string head(int offset) {
    return R"({"type":"t","channel":"c","offset":)" + std::to_string(offset) + R"(,"time":5)";
}
std::string as_bytes(int offset) {
    return head(offset) + ",\"bytes\":3}\n\x00\n\xff"s;
}
std::string as_base64(int offset) {
    return head(offset) + ",\"binary\":true,\"payload\":\"AAr/\"}\n";
}
std::string as_json(int offset) {
    return head(offset) + ",\"payload\":1}\n";
}

struct read_message {
    websocket::event_kind kind;
    std::string data;
    friend bool operator==(const read_message&, const read_message&) = default;
};
read_message text(std::string data) {
    return {websocket::event_kind::text, std::move(data)};
}
read_message binary(std::string data) {
    return {websocket::event_kind::binary, std::move(data)};
}

class outbound_bytes_test : public outbound_test {
protected:
    std::vector<read_message> messages() { return messages_in(pass_all()); }
    static std::vector<read_message> messages_in(std::string all) {
        std::vector<read_message> found;
        websocket::reader reader(websocket::role::client, 1 << 20);
        std::span<char> left(all);
        for (auto e = reader.next(left); e.kind != websocket::event_kind::more; e = reader.next(left))
            found.push_back({e.kind, std::string(e.data)});
        return found;
    }
};

TEST_F(outbound_bytes_test, leave_in_a_binary_message_with_the_lines_beside_them) {
    queue_.set_framing(framing::websocket_binary);
    queue_.push_message(publication(1, false));
    EXPECT_THAT(messages(), ElementsAre(text(as_json(1))));
    queue_.push_message(publication(2, true));
    queue_.push_message(publication(3, false));
    EXPECT_THAT(messages(), ElementsAre(binary(as_bytes(2) + as_json(3))));
    // More than leave without a look at each.
    for (int i = 4; i < 12; ++i) queue_.push_message(publication(static_cast<std::uint64_t>(i), i == 9));
    const auto all = messages();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].kind, websocket::event_kind::binary);
    EXPECT_NE(all[0].data.find(as_json(8) + as_bytes(9) + as_json(10)), std::string::npos);
}

TEST_F(outbound_bytes_test, are_base64_for_those_who_know_no_binary_messages) {
    queue_.set_framing(framing::websocket);
    queue_.push_message(publication(1, true));
    queue_.push_message(publication(2, false));
    EXPECT_THAT(messages(), ElementsAre(text(as_base64(1) + as_json(2))));
    queue_.set_framing(framing::event_stream);
    queue_.push_message(publication(3, true));
    EXPECT_EQ(pass_all(), "data: " + as_base64(3) + "\n");
}

// What waits is the message itself, shared with the history and with others, until it is its turn.
TEST_F(outbound_bytes_test, base64_is_made_when_it_is_written) {
    queue_.set_framing(framing::event_stream);
    const auto m = publication(1, true);
    queue_.push_message(m, counts::as_replay);
    EXPECT_EQ(queue_.unwritten_bytes(), m->line.size());
    EXPECT_EQ(pass_all(), "data: " + as_base64(1) + "\n");
}

class runs_of_bytes_test : public outbound_bytes_test, public ::testing::WithParamInterface<framing> {};

// What many get together is what each would get alone.
TEST_P(runs_of_bytes_test, say_what_single_messages_do) {
    queue_.set_framing(GetParam());
    fan_out together(bounds_);
    together.begin(publication(1, true), 7, std::vector<std::uint64_t>{1});
    ASSERT_NE(together.extend(publication(2, false), 7), nullptr);
    const auto visit = together.next();
    auto run = visit->batch->run_for(queue_);
    ASSERT_NE(run, nullptr);
    ASSERT_NE(together.extend(publication(3, true), 7), nullptr);
    queue_.push_run(std::move(run));
    const std::string joined = pass_all();
    for (std::uint64_t i = 1; i <= 3; ++i) queue_.push_message(publication(i, i != 2));
    EXPECT_EQ(joined, pass_all());
}

// A slow connection gets each message by itself, in its own form.
TEST_P(runs_of_bytes_test, are_taken_apart_into_the_same_form) {
    queue_.set_framing(GetParam());
    fan_out together(bounds_);
    together.begin(publication(1, true), 7, std::vector<std::uint64_t>{1});
    ASSERT_NE(together.extend(publication(2, true), 7), nullptr);
    const auto visit = together.next();
    queue_.push_run(visit->batch->run_for(queue_));
    queue_.blocked();
    ASSERT_EQ(queue_.pieces(), 2u);
    const std::string apart = pass_all();
    for (std::uint64_t i = 1; i <= 2; ++i) queue_.push_message(publication(i, true));
    EXPECT_EQ(apart, pass_all());
}

INSTANTIATE_TEST_SUITE_P(
    framings, runs_of_bytes_test,
    ::testing::Values(framing::websocket, framing::websocket_binary, framing::event_stream)
);

TEST_F(outbound_bytes_test, a_run_of_bytes_is_a_binary_message_as_a_whole) {
    queue_.set_framing(framing::websocket_binary);
    fan_out together(bounds_);
    together.begin(publication(1, true), 7, std::vector<std::uint64_t>{1});
    const auto visit = together.next();
    const auto run = visit->batch->run_for(queue_);
    EXPECT_THAT(messages_in(*queue_.whole_message(*run)), ElementsAre(binary(as_bytes(1))));
}

// Payloads that fill a message, among lines that do not.
class large_bytes_test : public outbound_bytes_test {
protected:
    large_bytes_test() {
        bounds_.batch_bytes_max = 100;
        queue_.set_framing(framing::websocket_binary);
    }
    static hub::message_ptr large(std::uint64_t offset, bool binary = true) {
        hub::publish p;
        p.channel = "c";
        p.type = "t";
        p.binary = binary;
        p.payload = std::string(200, static_cast<char>('0' + offset));
        return hub::make_message(p, offset, 5, slow_consumer::disconnect);
    }
    // As each run of one message gets to many.
    void push_as_run(const hub::message_ptr& m) {
        auto run = std::make_shared<line_run>(queue_.framed_as());
        run->append(m);
        queue_.push_run(std::move(run));
    }
    std::vector<read_message> push_six() {
        push_as_run(large(1));
        queue_.push_message(large(2));
        push_as_run(large(3, false));
        push_as_run(large(4));
        push_as_run(large(5));
        queue_.push_message(publication(6, true));
        return {binary(large(1)->line), binary(large(2)->line), text(large(3, false)->line),
                binary(large(4)->line), binary(large(5)->line), binary(as_bytes(6))};
    }
};

TEST_F(large_bytes_test, are_messages_of_their_own_and_leave_in_few_writes) {
    const auto expected = push_six();
    parts next;
    ASSERT_TRUE(queue_.next_parts(next));
    EXPECT_EQ(next.count, 8u) << "four messages, of each the header and what all share";
    EXPECT_EQ(messages(), expected);
    const auto m = large(2);
    queue_.push_message(m);
    ASSERT_TRUE(queue_.next_parts(next));
    ASSERT_EQ(next.count, 2u);
    EXPECT_EQ(next.all[1].data, m->line.data()) << "not copied";
}

TEST_F(large_bytes_test, the_peer_may_take_any_part_of_a_write) {
    (void)push_six();
    const std::string all = pass_all();
    for (std::size_t cut = 0, end = all.size(); cut < end; ++cut) {
        (void)push_six();
        parts next;
        ASSERT_TRUE(queue_.next_parts(next));
        end = next.bytes;
        std::string got;
        for (std::size_t i = 0; i < next.count; ++i) got.append(next.all[i].data, next.all[i].size);
        got.resize(cut);
        queue_.taken(cut);
        queue_.blocked();
        got += pass_all();
        ASSERT_EQ(got, all) << cut;
        ASSERT_EQ(queue_.unwritten_bytes(), 0u) << cut;
    }
}

// Only what has begun may not be dropped.
TEST_F(large_bytes_test, what_a_write_did_not_reach_may_still_be_dropped) {
    bounds_.queue_bytes_max = 300;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        hub::publish p;
        p.channel = "c";
        p.type = "t";
        p.binary = true;
        p.payload = std::string(200, 'x');
        queue_.push_message(hub::make_message(p, i, 5, slow_consumer::drop_oldest));
    }
    parts next;
    ASSERT_TRUE(queue_.next_parts(next));
    ASSERT_EQ(next.count, 6u);
    const std::string begun(next.all[0].data, next.all[0].size);
    queue_.taken(begun.size());
    queue_.blocked();
    EXPECT_FALSE(queue_.overflows());
    const auto all = messages_in(begun + pass_all());
    ASSERT_EQ(all.size(), 2u);
    EXPECT_TRUE(all[0].data.starts_with(head(1))) << all[0].data;
    EXPECT_TRUE(all[1].data.starts_with(R"({"op":"gap","channel":"c","offset":)")) << all[1].data;
}

TEST_F(outbound_bytes_test, a_gap_before_them_is_told_in_the_same_message) {
    bounds_.queue_bytes_max = 100;
    queue_.set_framing(framing::websocket_binary);
    queue_.blocked();
    for (std::uint64_t i = 1; i <= 3; ++i)
        queue_.push_message(publication(i, true, slow_consumer::drop_oldest));
    EXPECT_FALSE(queue_.overflows());
    const auto all = messages();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].kind, websocket::event_kind::binary);
    EXPECT_TRUE(all[0].data.starts_with(R"({"op":"gap","channel":"c","offset":)")) << all[0].data;
    EXPECT_TRUE(all[0].data.ends_with(as_bytes(3))) << all[0].data;
}

}  // namespace
}  // namespace pulsewire::delivery
