// An exception ends at most the connection that it came from.

#include "server/endpoint/welcome.hpp"
#include "server/log.hpp"
#include "server/shard/node.hpp"
#include "server/testing/running_server.hpp"

#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <future>

namespace pulsewire::shell {
namespace {

using namespace testing;

class throwing_conversation : public conversation {
public:
    throwing_conversation() : conversation(transport::http) {}
    void on_bytes(std::span<char>) override { throw std::runtime_error("on purpose"); }
    void on_end() override {}
    void on_deadline() override {}
    void on_overflow() override {}
};

class exceptions_test : public ::testing::Test {
protected:
    exceptions_test() {
        log::set_level("off");
        node_.start();
    }

    // Runs on the shard's thread, and waits for it.
    template <class Call>
    auto on_shard(Call call) {
        std::promise<decltype(call(node_.at(0)))> done;
        boost::asio::post(node_.at(0).loop(), [&] { done.set_value(call(node_.at(0))); });
        return done.get_future().get();
    }
    std::uint64_t exceptions() {
        return on_shard([](shard& s) { return s.metrics().exceptions; });
    }

    node node_{test_config(1), {}, http_welcome()};
};

TEST_F(exceptions_test, of_a_conversation_end_its_connection_alone) {
    client other(node_.port());
    other.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(read_answer(other).status, 200);
    client bad(node_.port());
    bad.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(read_answer(bad).status, 200);
    constexpr std::uint64_t second_connection = (std::uint64_t{1} << 32) | 1;
    on_shard([&](shard& s) {
        s.find(second_connection)->become(std::make_unique<throwing_conversation>());
        return 0;
    });
    // What comes next is for the new one, though nothing came since.
    bad.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(bad.read_to_end(), "");
    EXPECT_EQ(exceptions(), 1u);
    other.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(read_answer(other).status, 200);
}

TEST_F(exceptions_test, of_the_loop_itself_do_not_end_it) {
    boost::asio::post(node_.at(0).loop(), [] { throw std::runtime_error("on purpose"); });
    EXPECT_EQ(exceptions(), 1u);
    EXPECT_EQ(ask(node_.port(), "GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace pulsewire::shell
