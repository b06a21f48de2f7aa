#include "server/shard/listener.hpp"

#include "server/testing/running_server.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace pulsewire {
namespace {

using namespace testing;

// Takes all descriptors of the process until it is destroyed.
class no_descriptors_left {
public:
    no_descriptors_left() {
        getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit few{300, before_.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
        int descriptor = 0;
        while ((descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) taken_.push_back(descriptor);
    }
    ~no_descriptors_left() {
        for (const int descriptor : taken_) ::close(descriptor);
        setrlimit(RLIMIT_NOFILE, &before_);
    }
    void give_one_back() {
        ::close(taken_.back());
        taken_.pop_back();
    }

private:
    rlimit before_{};
    std::vector<int> taken_;
};

TEST(listener, without_descriptors_it_refuses_and_goes_on_later) {
    config c = test_config(1);
    c.shell.accept_backoff_ms = 20;
    running_server server(c);
    ASSERT_EQ(ask(server.port(), "GET", "/healthz").status, 200);
    {
        no_descriptors_left full;
        full.give_one_back();
        client refused(server.port());  // takes the one; the server has none to accept with
        EXPECT_EQ(refused.read_to_end(), "");
    }
    EXPECT_EQ(ask(server.port(), "GET", "/healthz").status, 200);
    EXPECT_GE(server.metric("pulsewire_accept_errors_total"), 1);
}

TEST(listener, a_port_that_is_taken_is_a_sentence) {
    running_server first;
    config c = test_config();
    c.port = first.port();
    server second(c);
    try {
        second.start();
        FAIL() << "two servers on one port";
    } catch (const std::runtime_error& e) {
        const std::string text = e.what();
        EXPECT_NE(text.find("127.0.0.1 port " + std::to_string(c.port)), std::string::npos) << text;
        EXPECT_NE(text.find("--port"), std::string::npos) << text;
    }
}

TEST(listener, an_address_that_is_none_is_a_sentence) {
    EXPECT_THROW(shell::check_free("example.com", 80), std::runtime_error);
    EXPECT_THROW(shell::check_free("192.0.2.1", 8080), std::runtime_error);
}

TEST(listener, ipv_6_loopback_is_served) {
    config c = test_config();
    c.address = "::1";
    try {
        running_server server(c);
        EXPECT_GT(server.port(), 0);
    } catch (const std::runtime_error& e) {
        GTEST_SKIP() << "no IPv6 here: " << e.what();
    }
}

}  // namespace
}  // namespace pulsewire
