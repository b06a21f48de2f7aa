// What waits is joined to messages that show a slow reader progress.

#include "common/delivery/framer.hpp"

#include "common/delivery/outbound_fixture_test.hpp"
#include "common/protocol/websocket_reader.hpp"

#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::delivery {
namespace {

class framer_test : public outbound_test {
protected:
    // The answer to a subscribe and its replay.
    void push_replay(std::size_t count, std::size_t bytes) {
        push("answer\n");
        for (std::size_t i = 0; i < count; ++i) push(std::string(bytes - 1, 'x') + '\n');
    }
    void push(std::string line) { queue_.push_line(bytes_of(std::move(line)), counts::as_replay); }

    // The sizes of what a peer sees one after the other.
    std::vector<std::size_t> websocket_messages() {
        std::string all = pass_all();
        websocket::reader reader(websocket::role::client, 1 << 24);
        std::span<char> left(all);
        std::vector<std::size_t> sizes;
        for (auto e = reader.next(left); e.kind == websocket::event_kind::text; e = reader.next(left))
            sizes.push_back(e.data.size());
        EXPECT_TRUE(left.empty());
        return sizes;
    }
    std::vector<std::size_t> events() {
        const std::string all = pass_all();
        std::vector<std::size_t> sizes;
        for (std::size_t at = 0, end = 0; (end = all.find("\n\n", at)) != std::string::npos; at = end + 2)
            sizes.push_back(end + 1 - at);
        return sizes;
    }
};

TEST_F(framer_test, a_long_replay_arrives_in_messages_of_16_kib) {
    queue_.set_framing(framing::websocket);
    push_replay(60, 2'048);
    const auto sizes = websocket_messages();
    EXPECT_EQ(sizes.size(), 8u);
    for (const std::size_t size : sizes) EXPECT_LE(size, joined_bytes_max);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 7u + 60 * 2'048);
}

TEST_F(framer_test, a_long_replay_arrives_in_events_of_16_kib) {
    queue_.set_framing(framing::event_stream);
    push_replay(60, 2'048);
    const auto sizes = events();
    EXPECT_EQ(sizes.size(), 8u);
    for (const std::size_t size : sizes) EXPECT_LE(size, joined_bytes_max + 8 * 6);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 7u + 60 * 2'048 + 61 * 6);
}

TEST_F(framer_test, a_longer_line_is_alone) {
    queue_.set_framing(framing::websocket);
    push_replay(2, 20'000);
    push("behind\n");
    EXPECT_EQ(websocket_messages(), (std::vector<std::size_t>{7, 20'000, 20'000, 7}));
}

// They do not go through the framer, so they have the bound as well.
TEST_F(framer_test, so_is_one_among_few) {
    queue_.set_framing(framing::websocket);
    push_replay(1, 20'000);
    EXPECT_EQ(websocket_messages(), (std::vector<std::size_t>{7, 20'000}));
    push_replay(1, 16'000);
    EXPECT_EQ(websocket_messages(), std::vector<std::size_t>{16'007});
}

TEST_F(framer_test, small_lines_are_joined_as_many_as_ever) {
    queue_.set_framing(framing::websocket);
    push_replay(63, 200);
    EXPECT_EQ(websocket_messages(), std::vector<std::size_t>{7 + 63 * 200});
}

}  // namespace
}  // namespace pulsewire::delivery
