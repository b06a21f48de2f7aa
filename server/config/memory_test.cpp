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
    EXPECT_LE(usable_memory_bytes(), process_limit_bytes());
}

// In a process of its own, and without a file read under the limit: AddressSanitizer's shadow is beyond every
// limit.
TEST(process_limit, is_the_least_that_is_set) {
    const auto ask_with_limits = [](std::uint64_t data, std::uint64_t address_space) {
        const auto set = [](int resource, std::uint64_t bytes) {
            const rlimit limit{.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
            (void)::setrlimit(resource, &limit);
        };
        set(RLIMIT_DATA, data);
        set(RLIMIT_AS, address_space);
        ::_exit(process_limit_bytes() == 64 << 20 ? 0 : 1);
    };
    EXPECT_EXIT(ask_with_limits(64 << 20, RLIM_INFINITY), ::testing::ExitedWithCode(0), "");
    EXPECT_EXIT(ask_with_limits(RLIM_INFINITY, 64 << 20), ::testing::ExitedWithCode(0), "");
    EXPECT_EXIT(ask_with_limits(64 << 20, 96 << 20), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace pulsewire::shell
