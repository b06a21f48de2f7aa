#include "server/supervision.hpp"

#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace pulsewire {
namespace {

using namespace std::chrono_literals;

// The supervisor's end.
class listening_supervisor {
public:
    explicit listening_supervisor(const std::string& path) : path_(path) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, path.data(), path.size());
        if (path[0] == '@') name.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
        bound_ = ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&name), size) == 0;
    }
    ~listening_supervisor() { ::close(descriptor_); }
    listening_supervisor(const listening_supervisor&) = delete;
    listening_supervisor& operator=(const listening_supervisor&) = delete;

    supervisor_wishes wishes(std::chrono::microseconds watchdog = 0us) const { return {path_, watchdog}; }
    bool bound() const { return bound_; }
    // What was sent next; empty when nothing was.
    std::string next() const {
        char text[256];
        const ssize_t size = ::recv(descriptor_, text, sizeof text, MSG_DONTWAIT);
        return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
    }

private:
    std::string path_;
    int descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool bound_ = false;
};

TEST(supervision, says_when_it_serves_and_when_it_ends) {
    const testing::temporary_folder folder;
    const listening_supervisor systemd(folder.path() + "/notify");
    ASSERT_TRUE(systemd.bound());
    boost::asio::io_context control;
    supervision told(control, systemd.wishes());
    told.is_busy();
    told.serves("on http://127.0.0.1:8080", [](const auto&) {});
    told.ends();
    EXPECT_EQ(systemd.next(), "READY=1\nSTATUS=on http://127.0.0.1:8080");
    EXPECT_EQ(systemd.next(), "STOPPING=1\nSTATUS=sending the clients away");
    EXPECT_EQ(systemd.next(), "");
    EXPECT_EQ(control.poll(), 0u) << "without a watchdog there is nothing to do";
}

TEST(supervision, knows_sockets_without_a_path) {
    const listening_supervisor systemd("@pulsewire-test-" + std::to_string(::getpid()));
    ASSERT_TRUE(systemd.bound());
    boost::asio::io_context control;
    supervision(control, systemd.wishes()).ends();
    EXPECT_TRUE(systemd.next().starts_with("STOPPING=1"));
}

TEST(supervision, shows_life_only_when_every_loop_has_answered) {
    const testing::temporary_folder folder;
    const listening_supervisor systemd(folder.path() + "/notify");
    boost::asio::io_context control;
    supervision told(control, systemd.wishes(2us));
    int asked = 0;
    std::function<void()> answer;
    told.serves("here", [&](std::function<void()> when_answered) {
        ++asked;
        answer = std::move(when_answered);
    });
    EXPECT_TRUE(systemd.next().starts_with("READY=1"));
    // The timer goes round; nobody answers.
    for (int i = 0; i < 10; ++i) control.run_one();
    EXPECT_EQ(asked, 1) << "once as long as there is no answer";
    EXPECT_EQ(systemd.next(), "");
    answer();
    std::string life;
    while (life.empty() && control.run_one() > 0) life = systemd.next();
    EXPECT_EQ(life, "WATCHDOG=1");
}

TEST(supervision, the_watchdog_waits_while_a_standby_reads_the_folder) {
    const testing::temporary_folder folder;
    const listening_supervisor systemd(folder.path() + "/notify");
    boost::asio::io_context control;
    supervision told(control, systemd.wishes(5s));
    told.stands_by();
    told.is_busy();
    told.serves("here", [](const auto&) {});
    EXPECT_TRUE(systemd.next().starts_with("READY=1\nSTATUS=standing by"));
    EXPECT_EQ(systemd.next(), "WATCHDOG_USEC=3600000000");
    EXPECT_EQ(systemd.next(), "READY=1\nSTATUS=here\nWATCHDOG_USEC=5000000");
}

TEST(supervision, a_server_that_nobody_supervises_sends_nothing) {
    boost::asio::io_context control;
    for (const std::string& none : {std::string(), std::string("no/path"), std::string(200, '/')}) {
        supervision alone(control, {none, 1us});
        alone.serves("here", [](const auto&) { FAIL(); });
        alone.ends();
        EXPECT_EQ(control.poll(), 0u);
    }
}

}  // namespace
}  // namespace pulsewire
