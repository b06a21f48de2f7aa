#include "server/config/message_types.hpp"

#include "common/schema/types.hpp"
#include "server/config/command_line.hpp"
#include "server/config/config_file.hpp"
#include "server/config/print_config.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace pulsewire::shell {
namespace {

constexpr std::string_view chat =
    R"({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]})";

// A config file with the schemas of one namespace, beside a folder of schema files.
class message_types : public ::testing::Test {
protected:
    void write(const std::string& file, std::string_view text) {
        const std::filesystem::path path = folder_.path() + "/" + file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    config read(const std::string& types) {
        write("config.json", R"({"namespaces": {"chat": {"types": )" + types + "}}}");
        config c;
        apply_config_file(folder_.path() + "/config.json", c);
        return c;
    }
    std::string error_of(const std::string& types) {
        try {
            read(types);
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return "none";
    }
    // Whether the error names all of these.
    ::testing::AssertionResult names(const std::string& types, std::initializer_list<const char*> parts) {
        const std::string error = error_of(types);
        for (const char* part : parts)
            if (error.find(part) == std::string::npos)
                return ::testing::AssertionFailure() << "no " << part << " in: " << error;
        return ::testing::AssertionSuccess();
    }

    testing::temporary_folder folder_;
};

TEST_F(message_types, are_files_beside_the_config_or_stand_in_it) {
    write("schemas/chat.json", chat);
    const config c = read(R"({"chat.message": "schemas/chat.json", "chat.typing": {"type": "null"}})");
    const auto& types = c.namespaces.at("chat").types;
    ASSERT_NE(types, nullptr);
    EXPECT_EQ(types->check("chat.message", R"({"text":"hi"})"), std::nullopt);
    EXPECT_EQ(
        types->check("chat.message", "{}")->message(), "chat.message: /text: expected string, found nothing"
    );
    EXPECT_EQ(types->check("chat.typing", "1")->message(), "chat.typing: expected null, found number");
    EXPECT_EQ(types->check("chat.other", "1"), std::nullopt);
    EXPECT_EQ(c.default_namespace.types, nullptr);
}

TEST_F(message_types, of_the_default_namespace_hold_for_those_without_their_own) {
    config c;
    apply_config(
        R"({"default_namespace": {"types": {"a": {"type": "null"}}},
            "namespaces": {"same": {}, "own": {"types": {"b": {"type": "null"}}}, "none": {"types": {}}}})",
        c
    );
    EXPECT_TRUE(c.default_namespace.types->has("a"));
    EXPECT_TRUE(c.namespaces.at("same").types->has("a"));
    EXPECT_FALSE(c.namespaces.at("own").types->has("a"));
    EXPECT_EQ(c.namespaces.at("none").types, nullptr);
}

TEST_F(message_types, a_fault_is_named_with_file_place_and_remedy) {
    write("bad.json", R"({"properties": {"name": {"pattern": "^a"}}})");
    write("cut.json", R"({"type": )");
    write("long.json", std::string(300'000, ' '));
    EXPECT_TRUE(names(
        R"({"chat.message": "bad.json"})", {"config.json", "at /namespaces/chat/types/chat.message",
                                            "bad.json", "at /properties/name/pattern", "remove it"}
    ));
    EXPECT_TRUE(names(R"({"a": "cut.json"})", {"cut.json", "malformed JSON at byte 10"}));
    EXPECT_TRUE(names(R"({"a": "long.json"})", {"long.json", "at most 262144 bytes"}));
    EXPECT_TRUE(names(R"({"a": "none.json"})", {"none.json", "No such file", "folder of the config file"}));
    EXPECT_TRUE(names(R"({"a": "."})", {"cannot be read", "Is a directory"}));
    EXPECT_TRUE(names(R"({"a": {"format": "date"}})", {"/namespaces/chat/types/a", "at /format"}));
    EXPECT_TRUE(
        names(R"({"a": 1})", {"/types/a", "must be the name of a schema file, a schema, or \"binary\""})
    );
    EXPECT_TRUE(names(R"({"no type": {}})", {"/types/no type", "is not the name of a message type"}));
    EXPECT_TRUE(names(R"({"pulsewire.x": {}})", {"is not the name of a message type"}));
    EXPECT_TRUE(names("[]", {"/namespaces/chat/types: must be an object"}));
}

TEST_F(message_types, a_file_that_nobody_writes_does_not_hold_the_start_up) {
    ASSERT_EQ(::mkfifo((folder_.path() + "/pipe").c_str(), 0600), 0);
    EXPECT_TRUE(names(R"({"a": "pipe"})", {"pipe", "cannot be read"}));
}

// The blocks of a kind in a text of Markdown, in their order.
std::vector<std::string> blocks_of(const std::string& text, const std::string& kind) {
    const std::string begin = "\n```" + kind + "\n", end = "\n```";
    std::vector<std::string> found;
    for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
        at += begin.size();
        found.push_back(text.substr(at, text.find(end, at) + 1 - at));
    }
    return found;
}

TEST_F(message_types, the_example_of_the_guide_does_what_the_guide_says) {
    const std::string guide = testing::text_of_file("docs/schemas.md");
    const auto blocks = blocks_of(guide, "json");
    ASSERT_EQ(blocks.size(), 3u);
    write("schemas/chat.message.json", blocks[0]);
    write("config.json", blocks[1]);
    config c;
    apply_config_file(folder_.path() + "/config.json", c);
    EXPECT_FALSE(c.namespaces.at("chat").other_types);

    const auto wrong = c.namespaces.at("chat").types->check("chat.message", R"({"user":"ada","text":7})");
    ASSERT_TRUE(wrong);
    EXPECT_NE(guide.find(R"("payload":{"user":"ada","text":7})"), std::string::npos);
    const std::string answer = "\"" + wrong->message() + "\",\"pointer\":\"" + wrong->pointer + "\"";
    EXPECT_NE(blocks[2].find(answer), std::string::npos) << answer;

    typescript_writer module;
    add_types(module, c);
    const auto text = module.str();
    ASSERT_TRUE(text) << text.error().message();
    EXPECT_NE(text->find(blocks_of(guide, "ts").at(0)), std::string::npos) << *text;
}

TEST_F(message_types, two_schemas_of_one_type_have_one_typescript_or_are_a_conflict) {
    config c;
    apply_config(
        R"({"namespaces": {"a": {"types": {"t": {"type": "null"}}}, "b": {"types": {"t": {"type": "null"}}},
            "c": {"types": {"messages": {"type": "string"}}}}})",
        c
    );
    typescript_writer same;
    add_types(same, c);
    ASSERT_FALSE(same.str());
    EXPECT_EQ(
        same.str().error().message(),
        "The schema of messages would become Messages, which the generated module needs itself: rename the "
        "type."
    );
    apply_config(R"({"namespaces": {"b": {"types": {"t": {"type": "string"}}}, "c": {"types": {}}}})", c);
    typescript_writer other;
    add_types(other, c);
    ASSERT_FALSE(other.str());
    EXPECT_NE(
        other.str().error().message().find("Two types become the TypeScript type T"), std::string::npos
    );
}

TEST_F(message_types, are_no_setting_of_the_whole_server) {
    config c;
    try {
        apply_config(R"({"types": {}})", c);
        FAIL();
    } catch (const std::runtime_error& e) {
        EXPECT_NE(std::string(e.what()).find("into one of \"namespaces\""), std::string::npos) << e.what();
    }
}

TEST_F(message_types, are_printed_so_that_they_can_be_read_again) {
    write("schemas/chat.json", chat);
    config c = read(R"({"chat.message": "schemas/chat.json", "chat.typing": {"type": "null"}})");
    config again;
    apply_config(print_config(c, {}), again);
    const auto& types = again.namespaces.at("chat").types;
    ASSERT_NE(types, nullptr);
    EXPECT_TRUE(types->check("chat.message", "{}"));
    EXPECT_TRUE(types->check("chat.typing", "{}"));
}

}  // namespace
}  // namespace pulsewire::shell
