#include "bench/load/options.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace pulsewire::bench {
namespace {

options read(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "pulsewire-bench");
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    return read_options(static_cast<int>(pointers.size()), pointers.data());
}

TEST(options, what_is_not_given_is_the_scenarios_own) {
    const options o = read({"fanout"});
    EXPECT_EQ(o.connections, 0u);
    EXPECT_EQ(o.rate, 0);
    EXPECT_EQ(read({"fanout", "--warm-up", "0", "--drain", "0"}).warm_up_seconds, 0);
    EXPECT_EQ(
        read({"fanout", "--server-pid", std::to_string(getpid())}).server_pids, std::vector<pid_t>{getpid()}
    );
}

TEST(options, nonsense_is_refused_with_the_rule) {
    const auto refused = ::testing::ExitedWithCode(2);
    EXPECT_EXIT(read({"fanout", "--seconds", "0"}), refused, "--seconds: must be more than 0");
    EXPECT_EXIT(read({"fanout", "--seconds", "-1"}), refused, "--seconds: must be more than 0");
    EXPECT_EXIT(read({"fanout", "--seconds", "nan"}), refused, "--seconds: must be more than 0");
    EXPECT_EXIT(read({"rate", "--rate", "-5"}), refused, "--rate: must be more than 0");
    EXPECT_EXIT(read({"fanout", "--connections", "0"}), refused, "--connections: must be more than 0");
    EXPECT_EXIT(read({"fanout", "--warm-up", "-1"}), refused, "--warm-up: must be 0 or more");
    EXPECT_EXIT(read({"fanout", "--header", "nonsense"}), refused, "Name: value");
    EXPECT_EXIT(read({"fanout", "--server-pid", "999999999"}), refused, "no such process");
    EXPECT_EXIT(read({"fan-out"}), refused, "fan-out");
}

}  // namespace
}  // namespace pulsewire::bench
