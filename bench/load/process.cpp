#include "bench/load/process.hpp"

#include <time.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace pulsewire::bench {
namespace {

std::optional<double> read_clock(clockid_t clock) {
    timespec t{};
    if (clock_gettime(clock, &t) != 0) return std::nullopt;
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

template <class T>
std::optional<T> sum(const std::vector<pid_t>& pids, std::optional<T> (*one)(pid_t)) {
    if (pids.empty()) return std::nullopt;
    T all{};
    for (const pid_t pid : pids) {
        const auto value = one(pid);
        if (!value) return std::nullopt;
        all += *value;
    }
    return all;
}

}  // namespace

std::optional<double> cpu_seconds(pid_t pid) {
    clockid_t clock{};
    if (clock_getcpuclockid(pid, &clock) != 0) return std::nullopt;
    return read_clock(clock);
}

std::optional<std::uint64_t> resident_bytes(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::string line;
    while (std::getline(status, line)) {
        unsigned long long kib = 0;
        if (std::sscanf(line.c_str(), "VmRSS: %llu kB", &kib) == 1) return kib * 1024;
    }
    return std::nullopt;
}

std::optional<double> cpu_seconds(const std::vector<pid_t>& pids) {
    return sum<double>(pids, cpu_seconds);
}

std::optional<std::uint64_t> resident_bytes(const std::vector<pid_t>& pids) {
    return sum<std::uint64_t>(pids, resident_bytes);
}

double own_cpu_seconds() {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID).value_or(0);
}

std::uint64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace pulsewire::bench
