#include "server/care/json_lines.hpp"

#include "server/care/test_folder.hpp"
#include "server/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace pulsewire::care {
namespace {

using ::testing::HasSubstr;

// Everything that clients and publishers can see of a folder.
std::vector<std::string> visible(const std::string& folder) {
    std::vector<std::string> lines;
    const auto all = contents_of(folder);
    for (const auto& c : all.channels) {
        lines.push_back(c.name + " " + c.epoch + " " + std::to_string(c.head));
        for (const auto& p : c.publications) lines.push_back(p->line);
    }
    for (const auto& k : all.keys) lines.push_back(k.channel + " " + k.key + " " + std::to_string(k.offset));
    std::sort(lines.begin(), lines.end());
    return lines;
}

std::string exported(const test_folder& f) {
    const told all = run({"export", "--data", f.path()});
    EXPECT_EQ(all.code, 0) << all.err;
    return all.out;
}

class lines : public ::testing::Test {
protected:
    lines() { log::set_level("off"); }
};

TEST_F(lines, an_import_has_the_same_positions_and_publications_as_what_was_exported) {
    const test_folder f;
    f.fill(3, 20);
    {
        // One whose publications are all gone, and that has a position nevertheless.
        shell::log_store store(f.path());
        ASSERT_FALSE(store.write(std::vector<hub::store_op>{
            {1, 0, hub::keep_channel{"gone", "epoch-g", 17}},
            {1, 0, hub::trim_channel{test_folder::channel(1), 8}}}));
    }
    const std::string text = exported(f);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 4 + 20 + 13 + 20);
    EXPECT_THAT(
        text, HasSubstr("{\"channel\":\"chat:a\",\"epoch\":\"epoch-a\",\"offset\":3,\"type\":\"t\","
                        "\"time\":1700000000003,\"key\":\"key-3\",\"user\":\"u.ann\",\"payload\":{\"n\":3,")
    );
    const told done = run({"import", "--data", f.path("other"), "-"}, text);
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("imported 53 publications in 4 channels"));
    auto before = visible(f.path());
    // Of a publication that is gone, the key has no place in the export.
    std::erase_if(before, [](const std::string& line) {
        return line == "chat:b key-3 3" || line == "chat:b key-6 6";
    });
    EXPECT_EQ(visible(f.path("other")), before);
    EXPECT_EQ(run({"verify", "--data", f.path("other")}).code, 0);
}

TEST_F(lines, what_is_not_exported_is_named) {
    const test_folder f;
    f.fill(1, 1);
    EXPECT_THAT(run({"export", "--data", f.path()}).err, HasSubstr("not in it: the secret"));
}

TEST_F(lines, a_file_is_there_when_it_is_complete) {
    const test_folder f;
    f.fill(1, 2);
    EXPECT_EQ(run({"export", "--data", f.path(), f.path("all.jsonl")}).code, 0);
    EXPECT_EQ(run({"import", "--data", f.path("other"), f.path("all.jsonl")}).code, 0);
    EXPECT_EQ(visible(f.path("other")), visible(f.path()));
    const told again = run({"import", "--data", f.path("other"), f.path("all.jsonl")});
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.err, HasSubstr("needs an empty folder"));
}

TEST_F(lines, a_faulty_line_is_named_and_nothing_is_imported) {
    const test_folder f;
    const std::string begin = "{\"pulsewire_export\":1}\n",
                      channel = "{\"channel\":\"a\",\"epoch\":\"e\",\"head\":2}\n";
    const auto publication = [](const std::string& offset, const std::string& more = "") {
        return "{\"channel\":\"a\",\"epoch\":\"e\",\"offset\":" + offset + ",\"type\":\"t\",\"time\":1" +
               more + ",\"payload\":1}\n";
    };
    const std::pair<std::string, std::string> faults[] = {
        {"", "the file is empty"},
        {"{}\n", "line 1 does not begin an export"},
        {"{\"pulsewire_export\":2}\n", "line 1 begins an export of another version"},
        {begin + "hello\n", "line 2 is no JSON object"},
        {begin + publication("1"), "line 2 comes before the line of its channel"},
        {begin + channel + channel, "line 3 names the channel a second time"},
        {begin + channel + publication("3"), "line 3 has an offset beyond the head"},
        {begin + channel + publication("0"), "line 3 has an offset beyond the head"},
        {begin + channel + publication("1") + publication("1"), "line 4 has the offset 1 after 1"},
        {begin + channel + publication("1"), "the file ends too early: channel a"},
        {begin + channel + publication("\"1\""), "line 3 has a \"offset\" that is no whole number"},
        {begin + channel + publication("2", ",\"secret\":1"),
         "member that this version does not know: \"secret\""},
        {begin + channel + publication("2", ",\"key\":\"a b\""), "line 3 has a wrong \"key\""},
        {begin + channel + publication("2", ",\"payload\":2"), "line 3 has a member twice"},
        {begin + "{\"channel\":\"a\",\"epoch\":\"e\",\"head\":2,}\n", "line 2 is no JSON object"},
        {begin + "{\"channel\":\"a b\",\"epoch\":\"e\",\"head\":2}\n", "line 2 has a wrong \"channel\""}};
    for (const auto& [text, sentence] : faults) {
        const told refused = run({"import", "--data", f.path(), "-"}, text);
        EXPECT_EQ(refused.code, 1) << text;
        EXPECT_THAT(refused.err, HasSubstr(sentence)) << text;
    }
    const told fine =
        run({"import", "--data", f.path(), "-"}, begin + channel + publication("1") + publication("2"));
    EXPECT_EQ(fine.code, 0) << "nothing is left of the attempts: " << fine.err;
}

TEST_F(lines, bytes_are_base64_and_come_back_as_bytes) {
    const test_folder f, again;
    const std::string text =
        "{\"pulsewire_export\":1}\n{\"channel\":\"a\",\"epoch\":\"e\",\"head\":1}\n"
        "{\"channel\":\"a\",\"epoch\":\"e\",\"offset\":1,\"type\":\"t\",\"time\":1,\"binary\":true,"
        "\"payload\":\"AAr/\"}\n";
    ASSERT_EQ(run({"import", "--data", f.path(), "-"}, text).code, 0);
    EXPECT_EQ(run({"export", "--data", f.path()}).out, text);
    std::string faulty = text;
    faulty.replace(faulty.find("AAr/"), 4, "AAr!");
    const told refused = run({"import", "--data", again.path(), "-"}, faulty);
    EXPECT_THAT(refused.err, HasSubstr("line 3 has a \"payload\" that is \"binary\" and no base64"));
}

TEST_F(lines, a_snapshot_comes_back_with_what_it_covers) {
    const test_folder f, again;
    const std::string begin =
        "{\"pulsewire_export\":1}\n{\"channel\":\"a\",\"epoch\":\"e\",\"head\":2}\n"
        "{\"channel\":\"a\",\"epoch\":\"e\",\"offset\":1,\"type\":\"t\",\"time\":1,\"payload\":1}\n";
    const auto second = [](const std::string& what) {
        return "{\"channel\":\"a\",\"epoch\":\"e\",\"offset\":2,\"type\":\"s\",\"time\":1," + what +
               "\"payload\":1}\n";
    };
    const std::string text = begin + second("\"covers\":1,\"part\":1,\"parts\":2,\"snapshot\":\"k3\",");
    const told done = run({"import", "--data", f.path(), "-"}, text);
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(run({"export", "--data", f.path()}).out, text);
    for (const char* wrong :
         {"\"covers\":2,", "\"covers\":0,", "\"covers\":1,\"part\":3,\"parts\":2,\"snapshot\":\"k3\","}) {
        const told refused = run({"import", "--data", again.path(), "-"}, begin + second(wrong));
        EXPECT_EQ(refused.code, 1) << wrong;
        EXPECT_THAT(refused.err, HasSubstr("line 4")) << wrong;
    }
}

TEST_F(lines, a_damaged_folder_is_not_exported) {
    const test_folder f;
    f.fill(1, 60);
    f.settle();
    const std::string file = f.files(".sst").back();
    flip(file, std::filesystem::file_size(file) / 2);
    const told refused = run({"export", "--data", f.path()});
    EXPECT_EQ(refused.code, 1);
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, HasSubstr("after pulsewired repair"));
}

}  // namespace
}  // namespace pulsewire::care
