#include "server/config/api_keys.hpp"

#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace pulsewire::shell {
namespace {

class key_file {
public:
    explicit key_file(const std::string& text) { std::ofstream(path()) << text; }
    std::string path() const { return folder_.path() + "/keys"; }

private:
    testing::temporary_folder folder_;
};

config with(const std::string& text, const key_file& file) {
    config c;
    c.api_key = text;
    c.api_key_file = file.path();
    return c;
}

// The name of the key among those of a file; "none" when it is no key.
std::string name_in(const std::string& text, std::string_view key) {
    const key_file file(text);
    const api_keys keys(with("", file));
    const std::string* name = keys.name_of(key);
    return name == nullptr ? "none" : *name;
}

std::string fault_in(const std::string& text, const std::string& address = "127.0.0.1") {
    const key_file file(text);
    config c = with("", file);
    c.address = address;
    try {
        const api_keys keys(c);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "none";
}

TEST(api_keys, a_file_has_a_key_on_each_line_with_or_without_a_name) {
    const std::string text =
        "# of the backend\nbackend one-key-of-many\n\nlone-key-of-many\r\n\tci\t third-key \n";
    EXPECT_EQ(name_in(text, "one-key-of-many"), "backend");
    EXPECT_EQ(name_in(text, "lone-key-of-many"), "api_key_file");
    EXPECT_EQ(name_in(text, "third-key"), "ci");
    for (const char* other : {"", "backend", "one-key-of-man", "one-key-of-many2", "# of the backend"})
        EXPECT_EQ(name_in(text, other), "none") << other;
}

// printf %s secret | sha256sum
TEST(api_keys, a_key_may_be_given_by_its_hash) {
    const std::string text =
        "ci sha256:0000000000000000000000000000000000000000000000000000000000000000\n"
        "deploy sha256:2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B\n";
    EXPECT_EQ(name_in(text, "secret"), "deploy");
    EXPECT_EQ(name_in(text, "Secret"), "none");
    EXPECT_EQ(
        name_in(text, "sha256:2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B"), "none"
    ) << "a hash opens nothing";
}

TEST(api_keys, the_key_of_the_settings_is_one_of_them) {
    const key_file file("from-the-file\n");
    const api_keys keys(with("from-the-settings", file));
    EXPECT_EQ(keys.size(), 2u);
    EXPECT_EQ(*keys.name_of("from-the-settings"), "api_key");
    EXPECT_EQ(*keys.name_of("from-the-file"), "api_key_file");
    EXPECT_TRUE(api_keys(config{}).empty());
    EXPECT_EQ(api_keys(config{}).name_of(""), nullptr);
}

TEST(api_keys, mistakes_are_named_by_their_line_and_never_quoted) {
    EXPECT_NE(
        fault_in("good-key\na b secret-of-two-words\n").find("line 2 has more than"), std::string::npos
    );
    EXPECT_EQ(fault_in("a b secret-of-two-words\n").find("secret"), std::string::npos);
    for (const char* hash :
         {"sha256:", "sha256:00",
          "ci sha256:zz80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B2"})
        EXPECT_NE(fault_in(hash).find("line 1 is no SHA-256 hash"), std::string::npos) << hash;
    EXPECT_NE(fault_in("# nothing\n\n").find("has no key"), std::string::npos);
    config c;
    c.api_key_file = "/does/not/exist";
    EXPECT_THROW(api_keys{c}, std::runtime_error);
    c.api_key_file = "/";
    EXPECT_THROW(api_keys{c}, std::runtime_error);
}

operations allowed_in(const std::string& line, std::string_view key, std::string_view channel) {
    const key_file file(line);
    const api_keys keys(with("", file));
    const api_key* found = keys.find(key);
    EXPECT_TRUE(found != nullptr && found->only != nullptr) << line;
    if (found == nullptr || found->only == nullptr) return {};
    return access::permitted(found->only.get(), channel, access_rules());
}

TEST(api_keys, may_be_for_some_channels_only) {
    const std::string line = "ci a-key=of-many  news:**=publish,history\tlog:a=b=presence\n";
    EXPECT_EQ(
        allowed_in(line, "a-key=of-many", "news:1"), operations(operation::publish) | operation::history
    );
    EXPECT_EQ(allowed_in(line, "a-key=of-many", "log:a=b"), operations(operation::presence));
    EXPECT_TRUE(allowed_in(line, "a-key=of-many", "chat").empty()) << "though the namespace lets everybody";
    EXPECT_EQ(name_in(line, "a-key=of-many"), "ci");
}

TEST(api_keys, with_permissions_that_are_wrong_are_refused) {
    for (const char* wrong :
         {"ci secret news:**", "ci secret news:**=", "ci secret news*=publish", "ci secret news=publish,fly",
          "ci secret news=publish more", "secret news:**=publish", "secret news:**=publish chat=publish"}) {
        const std::string fault = fault_in(wrong);
        EXPECT_NE(fault.find("line 1 has"), std::string::npos) << wrong << ": " << fault;
        EXPECT_EQ(fault.find("secret"), std::string::npos) << fault;
    }
}

TEST(api_keys, of_the_settings_have_names_and_permissions) {
    config c;
    c.api_keys = {{"all", "the-first-key", {}}, {"ci", "the-second-key", access::grants()}};
    ASSERT_EQ(c.api_keys[1].allow->add("news:**", operation::publish), "");
    const api_keys keys(c);
    EXPECT_EQ(keys.find("the-first-key")->only, nullptr);
    EXPECT_EQ(keys.find("the-second-key")->name, "ci");
    EXPECT_NE(keys.find("the-second-key")->only, nullptr);
    c.api_keys[1].name.clear();
    EXPECT_THROW(api_keys{c}, std::runtime_error);
    c.api_keys[1] = {"ci", "short", {}};
    c.address = "0.0.0.0";
    EXPECT_THROW(api_keys{c}, std::runtime_error);
}

TEST(api_keys, on_an_address_that_others_reach_a_key_cannot_be_guessed) {
    EXPECT_EQ(fault_in("short\n"), "none");
    EXPECT_NE(fault_in("short\n", "0.0.0.0").find("5 characters"), std::string::npos);
    EXPECT_NE(fault_in("name fifteen-letters\n", "::").find("15 characters"), std::string::npos);
    EXPECT_EQ(fault_in("sixteen-letters!\n", "203.0.113.1"), "none");
    config c;
    c.address = "0.0.0.0";
    c.api_key = "k";
    EXPECT_THROW(api_keys{c}, std::runtime_error);
}

}  // namespace
}  // namespace pulsewire::shell
