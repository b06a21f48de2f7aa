// Schema files that change while the server runs (docs/schemas.md).

#include "server/config/config_file.hpp"
#include "server/testing/recorded_log.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace pulsewire {
namespace {

using namespace testing;

constexpr const char* number = R"({"type": "number"})";
constexpr const char* text = R"({"type": "string"})";

TEST(schemas, are_read_again_on_every_loop_and_bad_ones_change_nothing) {
    const temporary_folder folder;
    const std::string path = folder.path() + "/t.json", other = folder.path() + "/other.json";
    std::ofstream(path) << number;
    std::ofstream(other) << number;
    recorded_log log;
    config c = test_config(4);
    c.log_level = "info";
    shell::apply_config(
        R"({"default_namespace": {"types": {"other": "other.json"}},
            "namespaces": {"chat": {"types": {"t": "t.json", "here": {"type": "null"}}}}})",
        c, folder.path()
    );
    running_server server(c);
    const auto status = [&](const std::string& type, const std::string& payload) {
        return ask(server.port(), "POST", "/api/channels/chat:1/messages",
                   R"({"type":")" + type + R"(","payload":)" + payload + "}")
            .status;
    };
    EXPECT_EQ(status("t", "1"), 200);
    EXPECT_EQ(status("t", "\"a\""), 400);

    std::ofstream(path) << text;
    std::ofstream(other) << "{\"type\": \"strin\"}";
    server->reload();
    const std::string warning = log.line_with("The schemas that were read before stay in use");
    EXPECT_NE(warning.find("other.json"), std::string::npos) << warning;
    EXPECT_EQ(status("t", "1"), 200) << "all or nothing";

    std::ofstream(other) << text;
    server->reload();
    ASSERT_NE(log.line_with("2 schema files were read again"), "");
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(status("t", "\"a\""), 200) << "on whichever loop the connection is";
        EXPECT_EQ(status("t", "1"), 400);
    }
    EXPECT_EQ(status("here", "null"), 200);
    EXPECT_EQ(status("here", "1"), 400) << "what stands in the config file stays";
}

}  // namespace
}  // namespace pulsewire
