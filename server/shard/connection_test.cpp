#include "server/shard/connection.hpp"

#include "server/testing/client.hpp"
#include "server/testing/lone_shard.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>

namespace pulsewire::shell {
namespace {

// A connection over TCP, whose peer takes little before it reads.
class a_connection : public ::testing::Test {
protected:
    a_connection() {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        const tcp_socket listener(::socket(AF_INET, SOCK_STREAM, 0));
        if (::bind(listener.descriptor(), reinterpret_cast<sockaddr*>(&here), sizeof here) != 0 ||
            ::listen(listener.descriptor(), 1) != 0 ||
            ::getsockname(listener.descriptor(), reinterpret_cast<sockaddr*>(&here), &size) != 0)
            throw std::runtime_error("cannot listen");
        peer_ = std::make_unique<testing::client>(ntohs(here.sin_port), 4'096);
        tcp_socket accepted(::accept(listener.descriptor(), nullptr, nullptr));
        connection_ = std::make_unique<connection>(home_, 7, std::move(accepted));
        connection_->start(std::make_unique<recording_conversation>(told_), nullptr);
    }
    void sweep() { connection_->sweep(now_ms_ += 500); }

    lone_shard home_;
    std::vector<std::string> told_;
    std::unique_ptr<testing::client> peer_;
    std::unique_ptr<connection> connection_;
    std::int64_t now_ms_ = 1'000'000;
};

// The bytes on their way may take longer than a ping and its pong, which come after them.
TEST_F(a_connection, a_peer_that_takes_bytes_slowly_lives) {
    connection_->out().push_raw(std::string(100'000, 'x'));
    connection_->flush();
    for (int i = 0; i < 20; ++i) sweep();
    EXPECT_TRUE(home_.heard_of.empty()) << "its kernel holds what fits, and nobody reads";
    const auto deadline = std::chrono::steady_clock::now() + testing::patience;
    while (home_.heard_of.empty() && std::chrono::steady_clock::now() < deadline) {
        peer_->read_more();
        sweep();
    }
    EXPECT_EQ(home_.heard_of.front(), 7u);
    EXPECT_TRUE(home_.retired.empty());
}

TEST_F(a_connection, a_ping_that_the_kernel_of_a_dead_program_takes_is_no_sign_of_life) {
    for (int i = 0; i < 40; ++i) {
        connection_->out().push_raw(std::string("{\"op\":\"ping\"}\n"));
        connection_->flush();
        sweep();
    }
    EXPECT_TRUE(home_.heard_of.empty());
}

TEST_F(a_connection, much_that_waits_for_its_turn_counts_as_waiting_memory) {
    EXPECT_FALSE(connection_->writes_much());
    connection_->out().push_raw(std::string(100'000, 'x'));
    connection_->flush_soon();
    EXPECT_TRUE(connection_->writes_much());
    EXPECT_EQ(connection_->waiting_memory(), 0u) << "it has its turn at the end of this one";
    EXPECT_EQ(home_.storage().memory().bytes(), 0u);
    connection_->put_off();
    EXPECT_GE(connection_->waiting_memory(), 100'000u);
    EXPECT_GE(home_.storage().memory().bytes(), 100'000u);
    connection_->flush();
    while (!connection_->out().empty()) {
        peer_->read_more();
        connection_->on_ready({false, true, false});
        connection_->flush();
    }
    EXPECT_EQ(connection_->waiting_memory(), 0u);
    EXPECT_EQ(home_.storage().memory().bytes(), 0u);
}

}  // namespace
}  // namespace pulsewire::shell
