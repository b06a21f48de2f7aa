// The memory of a queue while its peer does not read, and when no more may be asked for.

#include "common/delivery/outbound_fixture_test.hpp"
#include "common/exchange/message_text.hpp"

namespace pulsewire::delivery {
namespace {

class outbound_memory : public outbound_test {
protected:
    std::uint64_t memory() const { return storage_.memory().bytes(); }
    void block() {
        queue_.push_raw(std::string(200'000, 'b'));
        ASSERT_EQ(write().how, outcome::blocked);
    }
    static hub::message_ptr publication(std::uint64_t offset, std::size_t bytes) {
        const std::string payload = "\"" + std::string(bytes, 'x') + "\"";
        hub::publish p;
        p.channel = "a";
        p.type = "t";
        p.payload = payload;
        return hub::make_message(p, offset, 1'764'000'000'000, slow_consumer::drop_oldest);
    }
};

TEST_F(outbound_memory, there_is_room_for_one_batch) {
    bounds_.batch_bytes_max = 1'000;
    queue_.push_raw(std::string(1'000, 'x'));
    EXPECT_TRUE(queue_.has_room());
    EXPECT_EQ(queue_.room(), 1u);
    queue_.push_raw("x");
    EXPECT_FALSE(queue_.has_room());
    EXPECT_EQ(queue_.room(), 0u);
    pass_all();
    EXPECT_TRUE(queue_.has_room());
    EXPECT_EQ(queue_.room(), 1'001u);
}

TEST_F(outbound_memory, the_room_does_not_end_with_what_is_written_of_a_large_piece) {
    bounds_.batch_bytes_max = 200'000;
    queue_.push_raw(std::string(201'000, 'x'));
    EXPECT_FALSE(queue_.has_room());
    ASSERT_EQ(write().how, outcome::blocked);
    EXPECT_TRUE(queue_.has_room()) << "the kernel has taken some of it";
}

TEST_F(outbound_memory, many_small_pieces_leave_no_room) {
    for (int i = 0; i < 1'000; ++i) queue_.push_control("12");
    EXPECT_FALSE(queue_.has_room()) << "a pong takes far more memory than two bytes";
}

TEST_F(outbound_memory, a_peer_that_keeps_up_counts_for_nothing) {
    queue_.push_raw("x");
    EXPECT_EQ(memory(), 0u);
    pass_all();
    EXPECT_EQ(memory(), 0u);
}

TEST_F(outbound_memory, what_waits_counts_until_it_is_written) {
    queue_.set_framing(framing::websocket);
    block();
    EXPECT_GE(memory(), 200'000u);
    for (std::uint64_t i = 1; i <= 50; ++i) queue_.push_message(publication(i, 1'000), counts::as_live);
    EXPECT_GE(memory(), 250'000u);
    queue_.push_control("pong");
    queue_.push_raw("raw");
    pass_all();
    EXPECT_EQ(memory(), 0u);
}

TEST_F(outbound_memory, what_several_queues_hold_counts_once) {
    outbound other(storage_);
    peer_buffer other_peer;
    const auto large = publication(1, 300'000);
    for (outbound* each : {&queue_, &other}) {
        each->set_framing(framing::websocket);
        each->push_message(large, counts::as_live);
        ASSERT_EQ((each == &queue_ ? peer_ : other_peer).take(*each).how, outcome::blocked);
    }
    EXPECT_GE(memory(), 300'000u);
    EXPECT_LE(memory(), 302'000u);
}

TEST_F(outbound_memory, what_is_dropped_or_replaced_counts_no_more) {
    bounds_.queue_bytes_max = 250'000;
    queue_.set_framing(framing::websocket);
    block();
    for (std::uint64_t i = 1; i <= 1'000; ++i) {
        queue_.push_message(publication(i, 1'000), counts::as_live);
        EXPECT_FALSE(queue_.overflows());
        EXPECT_LE(memory(), 260'000u);
    }
    queue_.drop_lines();
    EXPECT_LE(memory(), 200'000u + 1'000);
    pass_all();
    EXPECT_EQ(memory(), 0u);
}

TEST_F(outbound_memory, a_run_counts_as_its_messages_when_they_wait_apart) {
    queue_.set_framing(framing::websocket);
    const auto run = std::make_shared<line_run>(framing::websocket);
    for (std::uint64_t i = 1; i <= 100; ++i) run->append(publication(i, 3'000));
    queue_.push_run(run);
    ASSERT_EQ(write().how, outcome::blocked);
    EXPECT_GE(memory(), 300'000u);
    pass_all();
    EXPECT_EQ(memory(), 0u);
}

TEST_F(outbound_memory, a_queue_that_ends_gives_everything_back) {
    {
        outbound other(storage_);
        peer_buffer other_peer;
        other.push_raw(std::string(500'000, 'x'));
        ASSERT_EQ(other_peer.take(other).how, outcome::blocked);
        EXPECT_GE(memory(), 500'000u);
    }
    EXPECT_EQ(memory(), 0u);
}

}  // namespace
}  // namespace pulsewire::delivery
