// The simulator as a program: many seeds on all cores, or one seed with its trace. script/simulate builds it.

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "simulation/cluster.hpp"
#include "simulation/workers.hpp"

namespace pulsewire::simulation {
namespace {

using clock = std::chrono::steady_clock;

// With fewer seeds, a rare situation may be missing by chance.
constexpr std::uint64_t seeds_that_reach_everything = 1'000;

struct wishes {
    std::uint64_t from = 1, seeds = 20'000;
    bool one = false;
    bool told = false;     // print the trace
    bool cluster = false;  // many nodes over one log
    std::string courses;   // the expected hash of all traces; empty: not checked
    unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
    std::string commit = "unknown";
};

[[noreturn]] void misunderstood(std::string_view argument) {
    std::fprintf(
        stderr, "simulate: '%.*s' is not understood; script/simulate --help\n",
        static_cast<int>(argument.size()), argument.data()
    );
    std::exit(2);
}

wishes read(int count, char** arguments) {
    wishes w;
    for (int i = 1; i < count; ++i) {
        const std::string_view option = arguments[i];
        if (option == "--trace") {
            w.told = true;
            continue;
        }
        if (option == "--cluster") {
            w.cluster = true;
            continue;
        }
        if (++i == count) misunderstood(option);
        if (option == "--commit") {
            w.commit = arguments[i];
            continue;
        }
        if (option == "--expect") {
            w.courses = arguments[i];
            continue;
        }
        char* end = nullptr;
        const std::uint64_t number = std::strtoull(arguments[i], &end, 10);
        if (*end != '\0' || arguments[i][0] < '0' || arguments[i][0] > '9') misunderstood(arguments[i]);
        if (option == "--seeds") {
            w.seeds = number;
        } else if (option == "--from") {
            w.from = number;
        } else if (option == "--jobs") {
            w.jobs = std::max(1u, static_cast<unsigned>(number));
        } else if (option == "--seed") {
            w.one = true;
            w.from = number;
            w.seeds = 1;
        } else {
            misunderstood(option);
        }
    }
    return w;
}

double seconds_since(clock::time_point begin) {
    return std::chrono::duration<double>(clock::now() - begin).count();
}

int fail(const wishes& w, std::uint64_t seed, const std::string& fault) {
    std::printf("seed %llu failed: %s\n", static_cast<unsigned long long>(seed), fault.c_str());
    std::printf("  commit %s\n", w.commit.c_str());
    std::printf("  again: script/simulate --seed %llu --trace\n", static_cast<unsigned long long>(seed));
    return 1;
}

int run_one(const wishes& w) {
    sim::sim s(w.from);
    if (w.told)
        s.listen([](std::int64_t ms, std::string_view who, std::string_view what) {
            std::printf(
                "%9.3f  %-11.*s %.*s\n", static_cast<double>(ms) / 1'000, static_cast<int>(who.size()),
                who.data(), static_cast<int>(what.size()), what.data()
            );
            std::fflush(stdout);
        });
    s.run();
    if (!s.fault().empty()) return fail(w, w.from, s.fault());
    std::printf(
        "seed %llu: %llu events, no fault, trace %016llx\n", static_cast<unsigned long long>(w.from),
        static_cast<unsigned long long>(s.steps()), static_cast<unsigned long long>(s.trace())
    );
    return 0;
}

void show(const wishes& w, std::uint64_t done, clock::time_point begin) {
    const double rate = static_cast<double>(done) / seconds_since(begin);
    if (isatty(STDERR_FILENO) == 0) return;
    std::fprintf(
        stderr, "\r    %llu of %llu seeds, %.0f seeds/s, %.0f s left   ",
        static_cast<unsigned long long>(done), static_cast<unsigned long long>(w.seeds), rate,
        rate > 0 ? static_cast<double>(w.seeds - done) / rate : 0.0
    );
    std::fflush(stderr);
}

// Prints how often each situation was reached; false when an expected situation was never reached.
bool report(const figures& all) {
    bool complete = true;
    for (std::size_t i = 0; i < sim::situations; ++i) {
        const auto situation = static_cast<sim::situation>(i);
        const std::string_view name = name_of(situation);
        std::printf(
            "%12llu  %.*s\n", static_cast<unsigned long long>(all.reached[situation]),
            static_cast<int>(name.size()), name.data()
        );
        if (all.reached[situation] != 0 || all.seeds < seeds_that_reach_everything) continue;
        std::printf("never reached: %.*s\n", static_cast<int>(name.size()), name.data());
        complete = false;
    }
    return complete;
}

int run_many(const wishes& w) {
    const auto begin = clock::now();
    const outcome came_of_it =
        run_seeds(w.from, w.from + w.seeds, w.jobs, [&](std::uint64_t done) { show(w, done, begin); });
    if (isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r\033[K");
    const figures& all = came_of_it.all;
    const double seconds = seconds_since(begin);
    std::printf(
        "%llu seeds from %llu in %.1f s with %u processes: %.0f seeds/s, %.2f million events/s, %.0f events "
        "a "
        "seed\n",
        static_cast<unsigned long long>(all.seeds), static_cast<unsigned long long>(w.from), seconds, w.jobs,
        static_cast<double>(all.seeds) / seconds, static_cast<double>(all.steps) / seconds / 1e6,
        static_cast<double>(all.steps) / static_cast<double>(std::max<std::uint64_t>(1, all.seeds))
    );
    std::printf(
        "slowest recovery: %.1f s after the last fault (seed %llu)\n",
        static_cast<double>(all.slowest_healing_ms) / 1'000,
        static_cast<unsigned long long>(all.slowest_healing_seed)
    );
    const bool complete = report(all);
    if (came_of_it.failed) return fail(w, came_of_it.seed, came_of_it.fault);
    char courses[17];
    std::snprintf(courses, sizeof courses, "%016llx", static_cast<unsigned long long>(all.trace));
    std::printf("courses %s\n", courses);
    if (w.courses.empty() || w.courses == courses) return complete ? 0 : 1;
    std::printf("other courses were expected: %s\n", w.courses.c_str());
    return 1;
}

}  // namespace
}  // namespace pulsewire::simulation

int main(int count, char** arguments) {
    const auto wishes = pulsewire::simulation::read(count, arguments);
    if (wishes.cluster)
        return pulsewire::simulation::run_clusters(wishes.from, wishes.from + wishes.seeds, wishes.jobs);
    return wishes.one ? pulsewire::simulation::run_one(wishes) : pulsewire::simulation::run_many(wishes);
}
