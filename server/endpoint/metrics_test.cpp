#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace pulsewire {
namespace {

using namespace testing;

TEST(metrics, every_one_is_explained) {
    running_server server;
    std::ostringstream page;
    page << std::ifstream("docs/operating.md").rdbuf();
    const std::string documented = page.str();
    std::istringstream lines(ask(server.port(), "GET", "/metrics").body);
    int metrics = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        const std::string name = line.substr(7, line.rfind(' ') - 7);
        ++metrics;
        EXPECT_NE(documented.find("| `" + name + "` |"), std::string::npos)
            << name << " is not in docs/operating.md";
        EXPECT_EQ(line.ends_with(" counter"), name.ends_with("_total")) << line;
    }
    EXPECT_GE(metrics, 25);
}

}  // namespace
}  // namespace pulsewire
