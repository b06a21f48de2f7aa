// One calm conversation, over and over, with one failure after its first step, after its second, and so on:
// the client always comes back, nothing is lost and nothing is told twice.

#include "common/sim/sim.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace pulsewire::sim {
namespace {

sim_options conversation() {
    sim_options o;
    o.clients = 2;
    o.server.shards_max = 2;
    o.server.post_delay_max_ms = 5;
    o.server.answer_delay_max_ms = 50;
    o.server.channels = {"a", "disk:1"};
    o.server.disk_latency_max_ms = 20;
    o.server.hub.default_namespace.client_requests = true;
    o.server.hub.namespaces["disk"].keeps = durability::disk;
    o.chaos.latency_max_ms = 20;
    o.act_every_ms = 100;
    o.chaos_ms = 1'500;
    return o;
}

constexpr std::uint64_t seed = 5;

#ifdef __EMSCRIPTEN__
constexpr std::uint64_t stride = 7;
#else
constexpr std::uint64_t stride = 1;
#endif

// Runs with `failure` after the given step. Returns the fault of the run, empty if all is well.
std::string outcome(std::uint64_t step, const std::function<void(sim&)>& failure) {
    sim s(seed, conversation());
    s.run([&](sim& running) {
        if (running.steps() == step) failure(running);
    });
    return s.fault();
}

void at_every_step(const std::function<void(sim&)>& failure) {
    std::uint64_t steps = 0;
    sim calm(seed, conversation());
    calm.run([&](sim& running) {
        if (running.time().now() <= conversation().chaos_ms + 100) steps = running.steps();
    });
    ASSERT_EQ(calm.fault(), "");
    ASSERT_GT(steps, 100u);
    for (std::uint64_t step = 1; step <= steps; step += stride)
        ASSERT_EQ(outcome(step, failure), "") << "after step " << step << " of " << steps;
}

TEST(every_step, the_connection_is_cut) {
    at_every_step([](sim& s) { s.cut(0); });
}

TEST(every_step, the_connection_is_cut_and_nobody_is_told) {
    at_every_step([](sim& s) { s.cut(0, 100); });
}

TEST(every_step, both_clients_are_cut) {
    at_every_step([](sim& s) {
        s.cut(0);
        s.cut(1, 100);
    });
}

TEST(every_step, the_page_is_suspended_with_its_timer) {
    at_every_step([](sim& s) { s.freeze(0, 45'000); });
}

TEST(every_step, the_server_is_killed) {
    at_every_step([](sim& s) { s.restart(sim::restart_after::kill, 700); });
}

TEST(every_step, the_server_loses_its_power) {
    at_every_step([](sim& s) { s.restart(sim::restart_after::power_loss, 700); });
}

TEST(every_step, the_server_drains) {
    at_every_step([](sim& s) { s.restart(sim::restart_after::drain, 700); });
}

TEST(every_step, garbage_arrives) {
    int n = 0;
    at_every_step([&](sim& s) {
        const std::string garbage[] = {"<html>",
                                       "{\"op\":",
                                       "\xff\xfe",
                                       "{}",
                                       std::string(70'000, '{'),
                                       "{\"type\":\"say\",\"payload\":"};
        s.inject(0, garbage[static_cast<std::size_t>(n++) % std::size(garbage)]);
    });
}

TEST(every_step, the_server_ends_the_connection_with_each_code_that_means_come_back) {
    int n = 0;
    at_every_step([&](sim& s) {
        static constexpr int codes[] = {1001, 1002, 1003, 1007, 1008, 1009, 1011,
                                        1012, 1013, 4000, 4001, 4002, 4003};
        const std::string code = std::to_string(codes[static_cast<std::size_t>(n) % std::size(codes)]);
        const std::string moment = n++ % 2 == 0 ? R"(,"after_ms":1700)" : "";
        s.inject(
            0,
            R"({"op":"close","code":)" + code + R"(,"reconnect":true)" + moment + R"(,"message":"because"})"
        );
    });
}

TEST(every_step, the_network_is_said_to_be_back) {
    at_every_step([](sim& s) {
        s.cut(0, 100);
        s.client(0).network_online();
    });
}

}  // namespace
}  // namespace pulsewire::sim
