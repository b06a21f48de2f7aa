#include "server/net/poller.hpp"

#include "server/net/socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace pulsewire::shell {
namespace {

class poller_test : public ::testing::Test {
protected:
    poller_test() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        ours_.emplace(ends[0]);
        peers_.emplace(ends[1]);
    }

    // The next report, as "ID reads writes broken"; empty when there is none although the loop has
    // looked.
    std::string next() {
        told_.clear();
        loop_.restart();
        while (told_.empty() && loop_.poll_one() > 0) continue;
        return told_;
    }
    void send(std::string_view bytes) {
        EXPECT_EQ(
            ::send(peers_->descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size())
        );
    }
    std::string receive(std::size_t most) {
        std::string bytes(most, ' ');
        const ssize_t got = ::recv(ours_->descriptor(), bytes.data(), most, MSG_DONTWAIT);
        return got < 0 ? "nothing" : bytes.substr(0, static_cast<std::size_t>(got));
    }
    int fill() {
        const std::string bytes(65'536, 'x');
        int writes = 0;
        while (::send(ours_->descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            ++writes;
        return writes;
    }

    std::string told_;
    boost::asio::io_context loop_;
    static constexpr auto turn_max = std::chrono::seconds(5);
    poller poll_{
        loop_,
        [this](std::uint64_t id, poller::readiness what) {
            told_ += std::to_string(id);
            if (what.reads) told_ += " reads";
            if (what.writes) told_ += " writes";
            if (what.broken) told_ += " broken";
        },
        turn_max};
    std::optional<tcp_socket> ours_, peers_;
};

TEST_F(poller_test, tells_as_long_as_there_is_something_to_read) {
    poll_.add(ours_->descriptor(), 7, {true, false});
    EXPECT_EQ(next(), "");
    send("ab");
    EXPECT_EQ(next(), "7 reads");
    EXPECT_EQ(receive(1), "a");
    EXPECT_EQ(next(), "7 reads");
    EXPECT_EQ(receive(9), "b");
    EXPECT_EQ(next(), "");
}

TEST_F(poller_test, tells_only_what_is_asked_for) {
    poll_.add(ours_->descriptor(), 7, {false, false});
    send("a");
    EXPECT_EQ(next(), "");
    poll_.change(ours_->descriptor(), 7, {true, true});
    EXPECT_EQ(next(), "7 reads writes");
    EXPECT_GT(fill(), 0);
    EXPECT_EQ(next(), "7 reads");
    poll_.change(ours_->descriptor(), 7, {false, true});
    EXPECT_EQ(next(), "");
    std::string drained(1 << 20, ' ');
    EXPECT_GT(::recv(peers_->descriptor(), drained.data(), drained.size(), 0), 0);
    EXPECT_EQ(next(), "7 writes");
}

TEST_F(poller_test, an_end_is_read_and_a_broken_socket_is_told_anyway) {
    poll_.add(ours_->descriptor(), 7, {true, false});
    EXPECT_EQ(::shutdown(peers_->descriptor(), SHUT_WR), 0);
    EXPECT_EQ(next(), "7 reads");
    poll_.change(ours_->descriptor(), 7, {false, false});
    EXPECT_EQ(next(), "");
    peers_.reset();
    EXPECT_EQ(next(), "7 broken");
}

TEST_F(poller_test, a_closed_socket_is_forgotten) {
    poll_.add(ours_->descriptor(), 7, {true, false});
    send("a");
    ours_.reset();
    EXPECT_EQ(next(), "");
}

// More than have their turn at once.
TEST_F(poller_test, many_are_all_told_and_take_turns) {
    constexpr int many = 300;
    std::vector<tcp_socket> sockets;
    for (int i = 0; i < many; ++i) {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        sockets.emplace_back(ends[0]);
        sockets.emplace_back(ends[1]);
    }
    std::vector<int> turns(many);
    poller all(
        loop_, [&](std::uint64_t id, poller::readiness) { ++turns[id]; }, turn_max
    );
    for (int i = 0; i < many; ++i) {
        all.add(
            sockets[2 * static_cast<std::size_t>(i)].descriptor(), static_cast<std::uint64_t>(i),
            {true, false}
        );
        EXPECT_EQ(::send(sockets[2 * static_cast<std::size_t>(i) + 1].descriptor(), "x", 1, 0), 1);
    }
    // Nobody reads: each is ready again and again, and none twice as often as another.
    for (int i = 0; i < 60; ++i) loop_.poll_one();
    const auto [least, most] = std::minmax_element(turns.begin(), turns.end());
    EXPECT_GE(*least, 2);
    EXPECT_LE(*most, *least + 1);
}

// Has the poller watch so many sockets, each with a byte to read; those of number i stand at 2 * i.
void add_readable(poller& to, std::vector<tcp_socket>& sockets, std::uint64_t many) {
    for (std::uint64_t i = 0; i < many; ++i) {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        sockets.emplace_back(ends[0]);
        sockets.emplace_back(ends[1]);
        to.add(ends[0], i, {true, false});
        EXPECT_EQ(::send(ends[1], "x", 1, 0), 1);
    }
}

// A turn of no length: the loop writes what one socket led to before another one is told of.
TEST_F(poller_test, what_takes_long_does_not_keep_the_loop_from_its_other_work) {
    std::vector<tcp_socket> sockets;
    std::vector<std::uint64_t> told;
    poller slow(
        loop_, [&](std::uint64_t id, poller::readiness) { told.push_back(id); }, std::chrono::seconds(0)
    );
    add_readable(slow, sockets, 5);
    std::vector<std::size_t> told_after;
    for (int i = 0; i < 20 && told.size() < 10; ++i) {
        loop_.poll_one();
        told_after.push_back(told.size());
    }
    for (std::size_t i = 1; i < told_after.size(); ++i) EXPECT_LE(told_after[i], told_after[i - 1] + 1);
    ASSERT_EQ(told.size(), 10u);
    for (std::size_t i = 0; i < 5; ++i)
        EXPECT_EQ(told[i], told[i + 5]) << "each had its turn before any had two";
}

// The last one of them told is not told of by the kernel any more, which has nothing new.
TEST_F(poller_test, those_who_are_left_for_the_next_turn_are_told_although_nothing_new_comes) {
    std::vector<tcp_socket> sockets;
    int told = 0;
    poller slow(
        loop_,
        [&](std::uint64_t id, poller::readiness) {
            ++told;
            char byte;
            EXPECT_EQ(::recv(sockets[2 * id].descriptor(), &byte, 1, MSG_DONTWAIT), 1);
        },
        std::chrono::seconds(0)
    );
    add_readable(slow, sockets, 3);
    while (loop_.poll_one() > 0) continue;
    EXPECT_EQ(told, 3);
}

TEST_F(poller_test, what_is_no_socket_is_an_error) {
    EXPECT_THROW(poll_.add(-1, 7, {true, false}), std::system_error);
}

}  // namespace
}  // namespace pulsewire::shell
