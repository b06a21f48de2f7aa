#include "server/care/backup.hpp"

#include "server/care/test_folder.hpp"
#include "server/log.hpp"
#include "server/testing/running_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace pulsewire::care {
namespace {

namespace fs = std::filesystem;
using namespace pulsewire::testing;
using ::testing::HasSubstr;

class backup : public ::testing::Test {
protected:
    backup() { log::set_level("off"); }
};

TEST_F(backup, of_a_stopped_server_is_the_folder_itself) {
    const test_folder f;
    f.fill(2, 10);
    std::ofstream(f.path() + "/revocations") << "";
    const told done = run({"backup", "--data", f.path(), f.path("copy")});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("20 publications in 2 channels, 6 remembered keys"));
    EXPECT_TRUE(fs::exists(f.path("copy") + "/revocations"));
    EXPECT_EQ(contents_of(f.path("copy")).publications, 20u);
    EXPECT_EQ(shell::log_store(f.path("copy")).secret().first, shell::log_store(f.path()).secret().first);
}

TEST_F(backup, goes_nowhere_where_something_is_already) {
    const test_folder f;
    f.fill(1, 1);
    EXPECT_THAT(run({"backup", "--data", f.path(), f.path()}).err, HasSubstr("not empty"));
    EXPECT_EQ(run({"backup", "--data", f.path("none"), f.path("copy")}).code, 1);
    EXPECT_FALSE(fs::exists(f.path("copy")));
}

TEST_F(backup, of_a_damaged_folder_says_so) {
    const test_folder f;
    f.fill(1, 60);
    f.settle();
    const std::string file = f.files(".sst").back();
    flip(file, fs::file_size(file) / 2);
    const told done = run({"backup", "--data", f.path(), f.path("copy")});
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.out, HasSubstr("the folder is damaged, and so is the copy"));
}

config with_data(const std::string& folder) {
    config c = test_config(2);
    c.data = folder;
    return c;
}

int publish(std::uint16_t port, int number) {
    const std::string body = R"({"type":"t","key":"key-)" + std::to_string(number) + R"(","payload":)" +
                             std::to_string(number) + "}";
    return ask(port, "POST", "/api/channels/chat:live/messages", body, "Content-Type: application/json\r\n")
        .status;
}

// Everything that was acknowledged before it began is in it, and it is a folder that a server starts with.
TEST_F(backup, of_a_running_server_has_what_was_acknowledged_before) {
    const test_folder f;
    running_server server(with_data(f.path()));
    std::atomic<int> acknowledged{0};
    std::atomic<bool> enough{false};
    std::thread publisher([&] {
        while (!enough && publish(server.port(), acknowledged + 1) == 200) ++acknowledged;
    });
    for (int i = 1; i <= 3; ++i) {
        while (acknowledged < 20 * i) std::this_thread::yield();
        const int before = acknowledged;
        const std::string copy = f.path("copy-" + std::to_string(i));
        const told done = run({"backup", "--data", f.path(), copy});
        ASSERT_EQ(done.code, 0) << done.err << done.out;
        EXPECT_THAT(done.out, HasSubstr("whose server runs"));
        const auto kept = contents_of(copy);
        ASSERT_EQ(kept.channels.size(), 1u);
        EXPECT_GE(kept.channels[0].head, static_cast<std::uint64_t>(before));
        EXPECT_EQ(kept.keys.size(), kept.channels[0].head);
        EXPECT_EQ(run({"verify", "--data", f.path()}).code, 0) << "of the running one";
    }
    enough = true;
    publisher.join();
    EXPECT_EQ(ask(server.port(), "GET", "/healthz").status, 200);
    server.stop();
    EXPECT_FALSE(fs::exists(f.path() + "/backup.part"));
    EXPECT_FALSE(fs::exists(f.path() + "/pulsewire.socket"));
    running_server of_copy(with_data(f.path("copy-3")));
    EXPECT_EQ(publish(of_copy.port(), 1), 200);
    EXPECT_EQ(of_copy.metric("pulsewire_publications_repeated_total"), 1) << "its keys are remembered";
}

TEST_F(backup, keeps_revoked_tokens_of_a_running_server) {
    const test_folder f;
    running_server server(with_data(f.path()));
    ASSERT_EQ(ask(server.port(), "POST", "/api/revocations", R"({"user":"ann"})").status, 204);
    ASSERT_EQ(run({"backup", "--data", f.path(), f.path("copy")}).code, 0);
    std::ifstream list(f.path("copy") + "/revocations");
    EXPECT_THAT(std::string(std::istreambuf_iterator<char>(list), {}), HasSubstr("ann"));
}

}  // namespace
}  // namespace pulsewire::care
