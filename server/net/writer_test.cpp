// The writing of a queue over a real socket.

#include "server/net/writer.hpp"

#include "server/limits.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

namespace pulsewire::shell {
namespace {

using delivery::counts;
using delivery::framing;
using outcome = written::outcome;

delivery::shared_bytes bytes_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

// Two ends of a socket; what is written to one is read at the other.
class writer_test : public ::testing::Test {
protected:
    writer_test() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
        const int small = 4'096;
        ::setsockopt(ends_[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    ~writer_test() override {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    written write() { return shell::write(queue_, ends_[0], nullptr, bounds_.turn_bytes_max); }
    std::string read() {
        std::string all;
        char bytes[65536];
        ssize_t got = 0;
        while ((got = ::recv(ends_[1], bytes, sizeof bytes, 0)) > 0)
            all.append(bytes, static_cast<std::size_t>(got));
        return all;
    }
    // Writes and reads until nothing is left.
    std::string pass_all() {
        std::string all;
        while (!queue_.empty()) {
            EXPECT_NE(write().how, outcome::failed);
            all += read();
        }
        return all;
    }

    shell_limits bounds_;
    delivery::storage storage_{bounds_};
    delivery::outbound queue_{storage_};
    int ends_[2];
};

TEST_F(writer_test, lines_that_wait_leave_as_one_web_socket_message) {
    queue_.set_framing(framing::websocket);
    queue_.push_line(bytes_of("one\n"));
    queue_.push_line(bytes_of("two\n"));
    EXPECT_EQ(write().how, outcome::drained);
    EXPECT_EQ(read(), "\x81\x08one\ntwo\n");
    EXPECT_TRUE(queue_.empty());
}

TEST_F(writer_test, a_message_has_a_bound_in_messages_and_bytes) {
    bounds_.batch_messages_max = 2;
    queue_.set_framing(framing::websocket);
    for (int i = 0; i < 3; ++i) queue_.push_line(bytes_of("a\n"));
    EXPECT_EQ(
        pass_all(),
        "\x81\x04"
        "a\na\n"
        "\x81\x02"
        "a\n"
    );
    bounds_.batch_bytes_max = 3;
    for (int i = 0; i < 2; ++i) queue_.push_line(bytes_of("b\n"));
    queue_.push_line(bytes_of("longer than a batch\n"));
    EXPECT_EQ(
        pass_all(),
        "\x81\x02"
        "b\n"
        "\x81\x02"
        "b\n"
        "\x81\x14"
        "longer than a batch\n"
    );
}

TEST_F(writer_test, lines_that_wait_leave_as_one_event) {
    queue_.push_raw(std::string("head\n\n"));
    queue_.set_framing(framing::event_stream);
    queue_.push_line(bytes_of("one\n"));
    queue_.push_line(bytes_of("two\n"));
    EXPECT_EQ(pass_all(), "head\n\ndata: one\ndata: two\n\n");
}

TEST_F(writer_test, control_frames_go_before_lines_that_have_not_begun) {
    queue_.set_framing(framing::websocket);
    queue_.push_line(bytes_of("line\n"));
    queue_.push_control("PONG");
    EXPECT_EQ(pass_all(), "PONG\x81\x05line\n");
}

TEST_F(writer_test, raw_bytes_keep_their_place_behind_lines) {
    queue_.set_framing(framing::websocket);
    queue_.push_line(bytes_of("line\n"));
    queue_.push_raw(std::string("CLOSE"));
    EXPECT_EQ(pass_all(), "\x81\x05line\nCLOSE");
}

// Whatever the kernel takes at a time, the bytes are the same.
TEST_F(writer_test, partial_writes_go_on_where_they_stopped) {
    queue_.set_framing(framing::websocket);
    std::string expected;
    for (int i = 0; i < 300; ++i) {
        const std::string line =
            std::string(static_cast<std::size_t>(997 + i), static_cast<char>('a' + i % 26)) + "\n";
        queue_.push_line(bytes_of(line));
        expected += line;
    }
    std::string framed = pass_all(), got;
    for (std::size_t at = 0; at < framed.size();) {
        ASSERT_EQ(static_cast<unsigned char>(framed[at]), 0x81);
        std::size_t size = static_cast<unsigned char>(framed[at + 1]);
        std::size_t header = 2;
        if (size == 126) {
            size = static_cast<unsigned char>(framed[at + 2]) * 256u +
                   static_cast<unsigned char>(framed[at + 3]);
            header = 4;
        }
        ASSERT_NE(size, 127u);
        got += framed.substr(at + header, size);
        at += header + size;
    }
    EXPECT_EQ(got, expected);
}

TEST_F(writer_test, a_full_socket_blocks) {
    queue_.push_raw(std::string(1'000'000, 'x'));
    const auto done = write();
    EXPECT_EQ(done.how, outcome::blocked);
    EXPECT_GT(done.bytes, 0u);
    EXPECT_LT(done.bytes, 1'000'000u);
    EXPECT_EQ(read() + pass_all(), std::string(1'000'000, 'x'));
}

TEST_F(writer_test, a_turn_has_its_share) {
    bounds_.turn_bytes_max = 1;
    // More chunks than one system call takes.
    for (int i = 0; i < 1'000; ++i) queue_.push_raw(std::string("x"));
    EXPECT_EQ(write().how, outcome::more);
    EXPECT_EQ(read() + pass_all(), std::string(1'000, 'x'));
}

TEST_F(writer_test, a_broken_socket_fails) {
    ::close(ends_[1]);
    ends_[1] = ::open("/dev/null", O_RDONLY);
    queue_.push_raw(std::string("x"));
    EXPECT_EQ(write().how, outcome::failed);
}

TEST_F(writer_test, live_and_replayed_bytes_have_their_own_bounds) {
    bounds_.queue_bytes_max = 10;
    bounds_.replay_bytes_max = 20;
    queue_.set_framing(framing::websocket);
    queue_.push_line(bytes_of(std::string(20, 'r')), counts::as_replay);
    queue_.push_line(bytes_of(std::string(10, 'l')));
    EXPECT_FALSE(queue_.overflows());
    queue_.push_line(bytes_of("l"));
    EXPECT_TRUE(queue_.overflows());
    EXPECT_EQ(queue_.drop_lines(), 3u);
    EXPECT_FALSE(queue_.overflows());
    EXPECT_TRUE(queue_.empty());
    queue_.push_line(bytes_of(std::string(21, 'r')), counts::as_replay);
    EXPECT_TRUE(queue_.overflows());
    pass_all();
    EXPECT_FALSE(queue_.overflows());
}

TEST_F(writer_test, dropping_leaves_a_frame_that_has_begun_whole) {
    queue_.set_framing(framing::websocket);
    queue_.push_line(bytes_of(std::string(100'000, 'a')));
    EXPECT_EQ(write().how, outcome::blocked);
    queue_.push_line(bytes_of("never sent"));
    EXPECT_EQ(queue_.drop_lines(), 1u);
    const std::string all = read() + pass_all();
    EXPECT_EQ(all.size(), 10 + 100'000u);
    EXPECT_EQ(all.find("never"), std::string::npos);
}

}  // namespace
}  // namespace pulsewire::shell
