#pragma once

// A queue and the two ends of a socket for its tests.

#include "server/net/outbound.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

namespace pulsewire::shell {

inline shared_bytes bytes_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

// Two ends of a socket; what is written to one is read at the other.
class outbound_test : public ::testing::Test {
protected:
    outbound_test() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
        const int small = 4'096;
        ::setsockopt(ends_[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    ~outbound_test() override {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    outbound::written write() { return queue_.write_to(ends_[0]); }
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
            EXPECT_NE(write().how, outbound::outcome::failed);
            all += read();
        }
        return all;
    }

    shell_limits bounds_;
    outbound_storage storage_{bounds_};
    outbound queue_{storage_};
    int ends_[2];
};

}  // namespace pulsewire::shell
