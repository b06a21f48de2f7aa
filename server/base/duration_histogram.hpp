#pragma once

// Durations in buckets that Prometheus can add up.

#include <array>
#include <cstddef>
#include <cstdint>

namespace pulsewire::shell {

struct duration_histogram {
    static constexpr std::array<double, 12> bounds_seconds = {0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                              0.025,  0.05,   0.1,   0.5,    1.0,   5.0};
    static constexpr std::size_t buckets = bounds_seconds.size() + 1;
    std::array<std::uint64_t, buckets> counts{};  // the last one: longer than all bounds
    double sum_seconds = 0;

    static std::size_t bucket_of(double seconds) {
        std::size_t i = 0;
        while (i < bounds_seconds.size() && seconds > bounds_seconds[i]) ++i;
        return i;
    }
    void observe(double seconds) {
        ++counts[bucket_of(seconds)];
        sum_seconds += seconds;
    }
    void add(const duration_histogram& other) {
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
        sum_seconds += other.sum_seconds;
    }
};

}  // namespace pulsewire::shell
