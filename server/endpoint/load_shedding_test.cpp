// A loop that is late takes no new clients (shed_loop_lag_ms), and keeps those that are there.

#include "server/endpoint/welcome.hpp"
#include "server/log.hpp"
#include "server/shard/node.hpp"
#include "server/testing/client.hpp"
#include "server/testing/running_server.hpp"

#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace pulsewire::shell {
namespace {

using namespace pulsewire::testing;

// Keeps one loop busy, so that whatever is due waits.
class busy_loop {
public:
    explicit busy_loop(boost::asio::io_context& loop) : loop_(loop) {
        work_ = [this] {
            if (!busy_) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(400));
            boost::asio::post(loop_, work_);
        };
        boost::asio::post(loop_, work_);
    }
    void end() { busy_ = false; }

private:
    boost::asio::io_context& loop_;
    std::atomic<bool> busy_{true};
    std::function<void()> work_;
};

const std::string upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: pulsewire.v1\r\n";

// The status of a new client, asked for until it is the wanted one.
int status_when(std::uint16_t port, int wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    int status = 0;
    while (status != wanted && std::chrono::steady_clock::now() < deadline)
        status = ask(port, "GET", "/ws", {}, upgrade).status;
    return status;
}

TEST(load_shedding, a_late_loop_refuses_new_clients_until_it_recovers) {
    log::set_level("off");
    config c = test_config(1);
    c.shell.shed_loop_lag_ms = 100;
    node all(c, {}, http_welcome());
    all.start();
    client there(all.port());
    EXPECT_EQ(ask(there, "GET", "/readyz").status, 200);
    EXPECT_EQ(status_when(all.port(), 101), 101);
    busy_loop busy(all.at(0).loop());
    EXPECT_EQ(status_when(all.port(), 503), 503);
    const auto refused = ask(all.port(), "GET", "/ws", {}, upgrade);
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(ask(there, "GET", "/readyz").status, 503);
    EXPECT_EQ(ask(there, "GET", "/livez").status, 200);
    const std::string metrics = ask(there, "GET", "/metrics").body;
    EXPECT_NE(metrics.find("\npulsewire_loops_refusing 1"), std::string::npos);
    EXPECT_EQ(metrics.find("pulsewire_refused_total{reason=\"load\"} 0"), std::string::npos);
    busy.end();
    EXPECT_EQ(status_when(all.port(), 101), 101);
    EXPECT_EQ(ask(there, "GET", "/readyz").status, 200);
    all.stop();
}

}  // namespace
}  // namespace pulsewire::shell
