#include "simulation/workers.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace pulsewire::simulation {
namespace {

using clock = std::chrono::steady_clock;

// A run takes a millisecond; a run that takes this long will never end.
constexpr auto run_time_max = std::chrono::seconds(60);

constexpr std::uint64_t none = UINT64_MAX;

// The memory that a worker shares with its parent.
struct shared {
    std::atomic<std::uint64_t> seed{none};  // the current seed
    std::atomic<std::uint64_t> done{0};
    std::uint64_t failed_seed = none;
    char fault[2'000] = "";
    figures all;
};

struct board {
    std::atomic<std::uint64_t> first_failure{none};

    void failed(std::uint64_t seed) {
        std::uint64_t first = first_failure.load();
        while (seed < first && !first_failure.compare_exchange_weak(first, seed)) continue;
    }
};

// Memory that stays shared after fork(). Only for trivially destructible types: it is never freed.
template <class T>
T* share(std::size_t count) {
    void* memory =
        mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return new (memory) T[count];
}

void work(shared& mine, board& common, std::uint64_t from, std::uint64_t until, unsigned stride) {
    for (std::uint64_t seed = from; seed < until && seed < common.first_failure; seed += stride) {
        mine.seed = seed;
        sim::sim s(seed);
        s.run();
        mine.all.add(seed, s);
        ++mine.done;
        if (s.fault().empty()) continue;
        std::strncpy(mine.fault, s.fault().c_str(), sizeof mine.fault - 1);
        mine.failed_seed = seed;
        return common.failed(seed);
    }
    mine.seed = none;
}

struct worker {
    pid_t pid = 0;
    shared* state = nullptr;
    std::uint64_t seen_seed = none;  // the seed seen last, and the time since then
    clock::time_point since = clock::now();
    bool stopped = false;
};

// Whether the worker still runs. If it did not end by itself, the cause is recorded as the fault of its seed.
bool look_after(worker& w, board& common) {
    int status = 0;
    if (waitpid(w.pid, &status, WNOHANG) == w.pid) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
        const std::string fault = w.stopped             ? "does not end"
                                  : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                                        : "the process failed";
        std::strncpy(w.state->fault, fault.c_str(), sizeof w.state->fault - 1);
        w.state->failed_seed = w.state->seed;
        common.failed(w.state->seed);
        return false;
    }
    const std::uint64_t seed = w.state->seed;
    if (seed != std::exchange(w.seen_seed, seed)) w.since = clock::now();
    if (clock::now() - w.since > run_time_max && !std::exchange(w.stopped, true)) kill(w.pid, SIGKILL);
    return true;
}

}  // namespace

void figures::add(std::uint64_t seed, const sim::sim& s) {
    ++seeds;
    steps += s.steps();
    trace += s.trace() * (2 * seed + 1);
    reached.add(s.reached());
    if (s.healed_after_ms() <= slowest_healing_ms) return;
    slowest_healing_ms = s.healed_after_ms();
    slowest_healing_seed = seed;
}

void figures::add(const figures& other) {
    seeds += other.seeds;
    steps += other.steps;
    trace += other.trace;
    reached.add(other.reached);
    if (other.slowest_healing_ms <= slowest_healing_ms) return;
    slowest_healing_ms = other.slowest_healing_ms;
    slowest_healing_seed = other.slowest_healing_seed;
}

outcome run_seeds(
    std::uint64_t from, std::uint64_t until, unsigned jobs, const std::function<void(std::uint64_t)>& progress
) {
    board& common = *share<board>(1);
    shared* states = share<shared>(jobs);
    std::vector<worker> running;
    for (unsigned j = 0; j < jobs; ++j) {
        const pid_t pid = fork();
        if (pid == 0) {
            work(states[j], common, from + j, until, jobs);
            _exit(0);
        }
        if (pid > 0) running.push_back({pid, &states[j]});
    }
    const auto done = [&] {
        std::uint64_t sum = 0;
        for (unsigned j = 0; j < jobs; ++j) sum += states[j].done;
        return sum;
    };
    for (auto next = clock::now(); !running.empty();
         std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
        std::erase_if(running, [&](worker& w) { return !look_after(w, common); });
        if (clock::now() < next) continue;
        next = clock::now() + std::chrono::milliseconds(500);
        progress(done());
    }
    outcome all;
    for (unsigned j = 0; j < jobs; ++j) {
        all.all.add(states[j].all);
        if (states[j].failed_seed == none || states[j].failed_seed != common.first_failure) continue;
        all.failed = true;
        all.seed = states[j].failed_seed;
        all.fault = states[j].fault;
    }
    return all;
}

}  // namespace pulsewire::simulation
