// The hot functions in instructions: does one of them so many times, for callgrind to count; script/bench
// instructions. Only counted() is, so preparing costs nothing.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/micro/all_work.hpp"

extern "C" [[gnu::noinline]] void counted(
    const std::function<void(std::uint64_t)>& repeat, std::uint64_t times
) {
    repeat(times);
}

int main(int count, char** arguments) {
    const auto all = pulsewire::bench::all_work();
    if (count != 3) {
        for (const auto& w : all) std::printf("%s %u\n", w.name.c_str(), w.items);
        return 0;
    }
    for (const auto& w : all) {
        if (w.name != arguments[1]) continue;
        const auto repeat = w.prepare();
        // Caches and growing containers come to rest first.
        repeat(100);
        counted(repeat, std::strtoull(arguments[2], nullptr, 10));
        return 0;
    }
    std::fprintf(stderr, "there is no such work\n");
    return 2;
}
