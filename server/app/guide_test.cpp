// Every snippet of docs/cpp.md stands in a program that is compiled.

#include "server/testing/text_of_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using pulsewire::testing::text_of_file;

// Layout may differ between a page and a program.
std::string without_space(const std::string& text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '\n') out.push_back(c);
    return out;
}

std::vector<std::string> snippets_of(const std::string& page) {
    const std::string begin = "```cpp\n", end = "```";
    std::vector<std::string> found;
    std::size_t at = 0;
    while ((at = page.find(begin, at)) != std::string::npos) {
        at += begin.size();
        found.push_back(page.substr(at, page.find(end, at) - at));
    }
    return found;
}

TEST(guide, every_snippet_is_compiled) {
    const std::string programs =
        without_space(text_of_file("server/examples/guide.cpp") + text_of_file("server/examples/hello.cpp"));
    const auto snippets = snippets_of(text_of_file("docs/cpp.md"));
    EXPECT_GE(snippets.size(), 8u);
    for (const std::string& snippet : snippets)
        EXPECT_NE(programs.find(without_space(snippet)), std::string::npos) << snippet;
}

}  // namespace
