#include "server/config/memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pulsewire::shell {
namespace {

TEST(usable_memory, is_at_most_what_the_machine_has) {
    const auto installed = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    EXPECT_GT(usable_memory_bytes(), 16u << 20);
    EXPECT_LE(usable_memory_bytes(), installed);
}

TEST(usable_memory, is_at_most_the_limit_of_the_process) {
    const auto ask_with_a_limit = [] {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = 64 << 20;
        (void)::setrlimit(RLIMIT_DATA, &limit);
        ::_exit(usable_memory_bytes() == 64 << 20 ? 0 : 1);
    };
    EXPECT_EXIT(ask_with_a_limit(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace pulsewire::shell
