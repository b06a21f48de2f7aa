#include "server/base/audit_log.hpp"

#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace pulsewire::shell {
namespace {

TEST(audit_log, an_entry_is_one_line_of_json_with_what_is_known) {
    audit_entry e;
    e.event = "refused";
    e.reason = "origin";
    e.client = "203.0.113.9";
    e.path = "/ws";
    e.named = "https://shop.example";
    e.left_out = 3;
    EXPECT_EQ(
        audit_text(e, 1'764'417'600'123),
        R"({"time":"2025-11-29T12:00:00.123Z","event":"refused","reason":"origin","address":"203.0.113.9",)"
        R"("path":"/ws","named":"https://shop.example","left_out":3})"
    );
}

TEST(audit_log, text_of_a_client_stays_inside_its_field) {
    audit_entry e;
    const std::string hostile = "\"},{\"event\":\"api\"\n\x1b[2J\\\xff" + std::string(10'000, 'a');
    e.path = hostile;
    const std::string line = audit_text(e, 0);
    EXPECT_LT(line.size(), 300u);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto read = nlohmann::json::parse(line);
    EXPECT_EQ(read.size(), 2u);
    EXPECT_TRUE(read["path"].get<std::string>().starts_with("\"},{\"event\""));
}

TEST(audit_log, a_file_is_for_the_servers_user_alone_and_is_appended_to) {
    const testing::temporary_folder folder;
    const std::string path = folder.path() + "/audit";
    audit_log(path).write("one");
    audit_log(path).write("two");
    EXPECT_EQ(testing::text_of_file(path), "one\ntwo\n");
    struct stat about {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u);
    EXPECT_THROW(audit_log(folder.path() + "/no/such/folder"), std::runtime_error);
}

}  // namespace
}  // namespace pulsewire::shell
