#include "server/config/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace pulsewire::shell {
namespace {

constexpr std::uint64_t unlimited = UINT64_MAX;

std::uint64_t installed_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0) return unlimited;
    return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

std::uint64_t limit_of(int resource) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
    return limit.rlim_cur;
}

// A control group's file holds a number, or "max".
std::uint64_t number_in(const std::string& path) {
    std::ifstream file(path);
    std::string text;
    std::uint64_t number = 0;
    if (!(file >> text)) return unlimited;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : unlimited;
}

// The limits of a group and of all groups that it is in.
std::uint64_t limit_of_group(const std::string& mount, std::string group, std::string_view file) {
    std::uint64_t least = unlimited;
    while (true) {
        least = std::min(least, number_in(mount + group + "/" + std::string(file)));
        const std::size_t slash = group.rfind('/');
        if (group.empty() || slash == std::string::npos) return least;
        group.resize(slash);
    }
}

// Lines of /proc/self/cgroup are "number:controllers:path" (cgroups(7)); version 2 has no controllers there.
std::uint64_t limit_of_groups() {
    std::ifstream groups("/proc/self/cgroup");
    std::uint64_t least = unlimited;
    for (std::string line; std::getline(groups, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const std::string group = line.substr(second + 1);
        if (controllers == ",,")
            least = std::min(least, limit_of_group("/sys/fs/cgroup", group, "memory.max"));
        else if (controllers.find(",memory,") != std::string::npos)
            least = std::min(least, limit_of_group("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
    return least;
}

}  // namespace

std::uint64_t usable_memory_bytes() {
    return std::min({installed_bytes(), limit_of_groups(), process_limit_bytes()});
}

std::uint64_t process_limit_bytes() {
    return std::min(limit_of(RLIMIT_AS), limit_of(RLIMIT_DATA));
}

}  // namespace pulsewire::shell
