// The hot functions in time: build/release/pulsewire-bench-micro, with Google Benchmark's own options.

#include <benchmark/benchmark.h>

#include "bench/micro/all_work.hpp"

int main(int count, char** arguments) {
    benchmark::Initialize(&count, arguments);
    if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 2;
    for (const pulsewire::bench::work& w : pulsewire::bench::all_work())
        benchmark::RegisterBenchmark(w.name.c_str(), [w](benchmark::State& state) {
            const auto repeat = w.prepare();
            for (auto _ : state) repeat(1);
            state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * w.items);
        });
    benchmark::RunSpecifiedBenchmarks();
}
